"""The sentence claims what the tests allow, and answers for other images are never paired."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.comparison import (
    Experiment,
    SeedGroup,
    against_the_baseline,
    against_the_best,
    check_same_images,
    difference,
    distinct,
    ranked,
)
from onepass.core import UserError
from onepass.evaluation import Prediction, read_answers
from tests.builders import table

IMAGES = 100


def experiment(name: str, *wrong: int, **facts: Any) -> Experiment:
    """Answers for 100 images of which those numbered ``wrong`` are wrong."""
    right = ~np.isin(np.arange(IMAGES), wrong)
    labels = {f"{number:03}": "cat" for number in range(IMAGES)}
    same = Experiment([name], name, {}, {}, [0, 0], name, "test", False, labels, right, 0.5, None, None, None)
    return same._replace(**facts)


def groups(**wrong: range) -> list[SeedGroup]:
    return ranked([experiment(name, *of_name) for name, of_name in wrong.items()])


def test_three_that_differ_clearly_are_put_in_order_below_the_best() -> None:
    verdict = against_the_best(groups(c=range(40), a=range(2), b=range(20)))
    assert verdict.sentence == "a is better than b and c (p < 0.001 after correction for 3 comparisons)."
    assert verdict.corrected_for == 3


def test_the_best_is_tested_as_one_of_all_pairs_because_it_was_found_on_these_images() -> None:
    tested = groups(a=range(0), b=range(6), c=range(6, 12), d=range(12, 18))
    of_the_best = against_the_best(tested).tests
    assert [test.paired.p for test in of_the_best] == pytest.approx([0.03125] * 3)
    assert [test.p for test in of_the_best] == pytest.approx([6 * 0.03125] * 3)


def test_a_baseline_is_corrected_for_the_comparisons_with_it_only() -> None:
    tested = groups(a=range(0), b=range(6), c=range(6, 12), d=range(12, 18))
    verdict = against_the_baseline(tested, tested[0])
    assert [test.p for test in verdict.tests] == pytest.approx([3 * 0.03125] * 3)
    assert [test.paired.difference for test in verdict.tests] == pytest.approx([-0.06] * 3)


def test_two_need_no_correction() -> None:
    assert against_the_best(groups(a=range(0), b=range(6))).sentence == "a is better than b (p < 0.05)."


def test_what_cannot_be_told_apart_is_given_with_its_interval() -> None:
    (test,) = (verdict := against_the_best(groups(a=range(3), b=range(2, 7)))).tests
    low, high = 100 * test.paired.low, 100 * test.paired.high
    assert low < 0 < high
    images, points = "these 100 images", f"2.0 points, interval {low:.1f} to {high:.1f}"
    assert verdict.sentence == f"a and b cannot be told apart on {images}: the difference {points}."


def test_an_interval_without_zero_only_before_the_correction_is_called_uncorrected() -> None:
    sentence = against_the_best(groups(a=range(0), b=range(6), c=range(6, 12))).sentence
    assert "images from b (the difference 6.0 points, uncorrected interval 2.0 to " in sentence


def test_the_same_right_answers_are_not_given_an_interval_of_nothing() -> None:
    sentence = against_the_best(groups(a=range(3), b=range(3))).sentence
    assert sentence == "a and b cannot be told apart on these 100 images: right on the same ones."


def test_one_that_beats_the_baseline_and_one_that_does_not_are_both_named() -> None:
    tested = groups(best=range(0), base=range(20), worst=range(60))
    assert against_the_baseline(tested, tested[1]).sentence == (
        "base is better than worst (p < 0.001 after correction for 2 comparisons); "
        "best is better than base (p < 0.001 after correction for 2 comparisons)."
    )


def test_seeds_of_one_recipe_are_one_system_and_the_same_run_counts_once() -> None:
    runs = [
        experiment("second", 1, 2, recipe="same", seeds=[1, 0]),
        experiment("first", 1, recipe="same"),
        experiment("workspace", 1, recipe="same", answers="first"),
        experiment("other", 1, answers="first"),
    ]
    assert [run.names for run in distinct(runs)] == [["second"], ["first", "workspace"], ["other"]]
    other, same = ranked(runs)
    assert (other.name, len(other.runs)) == ("other", 1)
    assert (same.name, same.right.shape) == ("first", (2, 100))
    assert same.accuracy == pytest.approx(0.985)


def test_the_best_comes_first_and_ties_go_to_the_lower_loss() -> None:
    runs = [experiment("a", 1, log_loss=0.9), experiment("b", 2, log_loss=0.1), experiment("c")]
    assert [group.name for group in ranked(runs)] == ["c", "b", "a"]


def test_what_differs_between_evaluated_images_is_counted() -> None:
    one = experiment("one")
    labels = {f"{number:03}": "dog" if number > 97 else "cat" for number in range(10, 105)}
    found = difference(experiment("two", labels=labels), one)
    assert found == "images only here: 5, images only in one: 10, images with another label: 2"
    assert difference(experiment("two"), one) == ""


def test_seeds_that_draw_another_split_are_not_paired() -> None:
    labels = {f"{number:03}": "cat" for number in range(1, 101)}
    runs = [experiment("a", recipe="r"), experiment("b", recipe="r", seeds=[0, 1], labels=labels)]
    with pytest.raises(UserError, match="b: images only here: 1, images only in a: 1"):
        check_same_images(ranked(runs))


TEXT = st.text(st.characters(codec="utf-8"), max_size=5)


@given(st.lists(st.tuples(TEXT, st.sampled_from(["train", "test"]), TEXT, TEXT), max_size=8))
def test_any_names_of_files_and_classes_are_read_as_they_were_written(rows: list[tuple[str, ...]]) -> None:
    written = [(f"{number:03}", *row, "0.5") for number, row in enumerate(rows)]
    content = table([*Prediction._fields, "p_x"], written)
    expected = [row for row in written if row[2] == "test"]
    if not expected:
        with pytest.raises(ValueError, match="no test image"):
            read_answers(content, "test")
        return
    labels, right = read_answers(content, "test")
    assert list(labels.items()) == [(hash_, label) for hash_, _, _, label, _, _ in expected]
    assert right.tolist() == [label == predicted for _, _, _, label, predicted, _ in expected]


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"hash,file,split,label,predicted\n1,2\n", b"\xff\x00"])
def test_what_is_no_table_of_predictions_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"columns|values"):
        read_answers(content, "test")
