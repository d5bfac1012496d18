"""The notes name what had no effect and whom the evaluated images have helped, with advice that can be followed."""

from typing import Any

from onepass.comparison import compared, ranked
from onepass.comparison.notes import optimism
from tests.unit.comparison.made_up import experiment

ADVICE = "For an accuracy on images that decided nothing, "
DRAWN, GIVEN = {"split.test_fraction": 0}, {"split.test_fraction": 0.2}


def helped(**chosen: dict[str, Any]) -> str:
    """What is said of experiments that these images chose the epochs of, and of others that chose none."""
    return optimism(ranked([experiment(name, params=GIVEN)._replace(**facts) for name, facts in chosen.items()]))


def notes(*runs: Any, every_pair: bool = False) -> list[str]:
    return compared(ranked(runs), None, every_pair)[0].notes


def test_only_those_whose_epochs_these_images_chose_are_called_optimistic() -> None:
    chose = {"chose_the_epoch": True}
    assert helped(a={}, b={}) == ""
    assert helped(logistic={}, mlp=chose).startswith(
        "These images also chose the epochs of mlp: its accuracy is somewhat optimistic. " + ADVICE
    )
    assert "epochs of b and c: their accuracies are" in helped(a={}, b=chose, c=chose)
    assert "epochs of all experiments: their accuracies are" in helped(a=chose, b=chose)
    assert "epochs of a: its accuracy is" in helped(a=chose)
    assert "epochs of b, c, d and 2 more: their" in helped(a={}, b=chose, c=chose, d=chose, e=chose, f=chose)


def test_the_advice_is_a_param_where_the_project_draws_the_splits_and_else_the_layout() -> None:
    chose = {"chose_the_epoch": True}
    drawn, given = helped(a=chose | {"params": DRAWN}), helped(a=chose | {"params": GIVEN})
    assert drawn.endswith(ADVICE + "give split.test_fraction a value above 0.")
    layout = "give some photos to a test split (a folder test/, or split=test in the CSV)."
    assert given.endswith(ADVICE + layout)
    assert helped(a=chose | {"params": {}}).endswith(ADVICE + layout)  # the default is above 0


def test_what_differs_between_experiments_with_the_same_predictions_had_no_effect() -> None:
    params = {"train.learning_rate": 0.1, "train.seed": 0, "head.kind": "logistic"}
    a = experiment("a", answers="same", params=params)
    b = experiment("b", answers="same", params=params | {"train.learning_rate": 0.01})
    said = "a = b: the same predictions, so what differs between them (train.learning_rate) had no effect."
    assert said in notes(a, b)
    assert said in notes(a, b, experiment("c", 1, params=params))


def test_the_same_run_under_two_names_is_no_news() -> None:
    assert notes(experiment("a", answers="same"), experiment("workspace", answers="same")) == []


def test_many_params_without_effect_are_counted_and_files_are_among_them() -> None:
    a = experiment("a", answers="same", sources={"photos": "1"})
    b = a._replace(name="b", params={f"p{number}": 1 for number in range(4)}, sources={"photos": "2"})
    assert "(p0, p1, p2 and 2 more)" in notes(a, b)[0]
    assert "(photos)" in notes(a, a._replace(name="b", sources={"photos": "2"}))[0]


def test_seeds_that_gave_the_same_are_not_one_seed_of_which_another_might_differ() -> None:
    alike = [experiment(f"s{seed}", recipe="r", seeds=[seed, 0], answers="same") for seed in range(2)]
    several = [experiment(f"t{seed}", seed, recipe="t", seeds=[seed, 0]) for seed in range(2)]
    warning = "Of one seed, a test speaks of that one trained head: another seed may give another accuracy."
    assert warning not in notes(*alike, *several)
    assert warning in notes(alike[0], *several)


def test_where_not_all_pairs_are_shown_the_notes_say_how_to_see_them() -> None:
    runs = [experiment("a"), experiment("b", 1), experiment("c", 1, 2)]
    assert "all 3 pairs, as the best was found on these very images; --all shows them all." in notes(*runs)[0]
    assert notes(*runs, every_pair=True)[0].endswith("found on these very images.")
