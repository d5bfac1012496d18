"""Experiments that answer alike are one, seeds of one recipe are one, and nobody is in two groups."""

import pytest

from onepass.comparison import SeedGroup, accuracies, ranked
from onepass.comparison.seed_groups import distinct
from tests.unit.comparison.made_up import experiment


def titles(groups: list[SeedGroup]) -> list[list[str]]:
    return [[run.title for run in group.runs] for group in groups]


def test_experiments_with_the_same_predictions_are_one_whatever_their_params_are() -> None:
    runs = [
        experiment("slow", 1, params={"train.learning_rate": 0.1}, answers="same"),
        experiment("fast", 1, params={"train.learning_rate": 0.01}, answers="same"),
        experiment("other", 1),
    ]
    assert [run.title for run in distinct(runs)] == ["fast = slow", "other"]
    assert titles(ranked(runs)) == [["fast = slow"], ["other"]]


def test_workspace_and_head_give_way_to_a_name_that_dvc_keeps() -> None:
    runs = [experiment(name, answers="same") for name in ("workspace", "HEAD", "x")]
    assert distinct(runs)[0].title == "x = HEAD = workspace"


def test_an_experiment_that_was_named_twice_is_there_once() -> None:
    assert [run.title for run in distinct([experiment("a"), experiment("a")])] == ["a"]


def test_seeds_of_one_recipe_are_one_system() -> None:
    runs = [experiment("second", 1, 2, recipe="same", seeds=[1, 0]), experiment("first", 1, recipe="same")]
    (group,) = ranked(runs)
    assert (group.name, group.right.shape) == ("first", (2, 100))
    assert group.accuracy == pytest.approx(0.985)
    assert accuracies([group])[0]["seeds"] == "2: 0.9800 to 0.9900"


def test_seeds_with_the_same_predictions_are_one_and_the_table_says_how_many_were_tried() -> None:
    alike = [experiment(f"s{seed}", 1, recipe="r", seeds=[seed, 0], answers="same") for seed in range(3)]
    (group,) = ranked(alike)
    assert titles([group]) == [["s0 = s1 = s2"]]
    assert accuracies([group])[0]["seeds"] == "1 (3 tried)"
    (group,) = ranked([*alike, experiment("s3", 1, 2, recipe="r", seeds=[3, 0])])
    assert accuracies([group])[0]["seeds"] == "2 (4 tried): 0.9800 to 0.9900"


def test_two_recipes_that_answer_alike_with_every_seed_are_one_group() -> None:
    runs = [
        experiment(f"{recipe}{seed}", seed, recipe=recipe, seeds=[seed, 0], answers=f"{seed}")
        for recipe in "ab"
        for seed in range(2)
    ]
    assert titles(ranked(runs)) == [["a0 = b0", "a1 = b1"]]


@pytest.mark.parametrize("larger", ["a", "b"])
def test_a_run_of_two_recipes_is_counted_with_the_one_that_has_more_runs_and_not_twice(larger: str) -> None:
    both = [experiment(f"{recipe}0", 1, recipe=recipe, answers="same") for recipe in "ab"]
    more = experiment("more", 1, 2, recipe=larger, seeds=[1, 0])
    assert titles(ranked([*both, more])) == [["a0 = b0", "more"]]


def test_the_best_comes_first_and_ties_go_to_the_lower_loss() -> None:
    runs = [experiment("a", 1, log_loss=0.9), experiment("b", 2, log_loss=0.1), experiment("c")]
    assert [group.name for group in ranked(runs)] == ["c", "b", "a"]
