"""Answers for other images, or for other labels of the same ones, are never paired: each set has its own comparison."""

from typing import Any

from onepass.comparison import Comparison, compared, difference, ranked
from tests.unit.comparison.made_up import experiment

LATER = {f"{number:03}": "cat" for number in range(1, 101)}


def comparisons(baseline: str | None = None, **images: dict[str, Any]) -> list[Comparison]:
    """Of experiments with these facts, each worse than the one before."""
    runs = [experiment(name, *range(10 * place), **facts) for place, (name, facts) in enumerate(images.items())]
    return compared(ranked(runs), baseline)


def names(found: list[Comparison]) -> list[list[str]]:
    return [[group.name for group in one.groups] for one in found]


def test_what_differs_between_evaluated_images_is_counted() -> None:
    one = experiment("one")
    labels = {f"{number:03}": "dog" if number > 97 else "cat" for number in range(10, 105)}
    found = difference(experiment("two", labels=labels), one)
    assert found == "images only here: 5, images only in one: 10, images with another label: 2"
    assert difference(experiment("two"), one) == ""


def test_each_set_of_images_has_its_own_tests_and_the_one_with_most_experiments_comes_first() -> None:
    found = comparisons(best={"labels": LATER}, a={}, b={}, worst={"labels": LATER}, c={})
    assert names(found) == [["a", "b", "c"], ["best", "worst"]]
    assert [one.differs for one in found] == ["", "Not those of a: images only here: 1, images only in a: 1."]
    assert [one.images for one in found] == ["100 test images"] * 2
    assert [one.verdict.corrected_for for one in found if one.verdict] == [3, 1]
    assert found[1].sentence == "best is better than worst (p < 0.001)."


def test_sets_as_large_as_each_other_are_in_the_order_of_the_names_of_their_best() -> None:
    assert names(comparisons(b={"labels": LATER}, a={})) == [["a"], ["b"]]


def test_another_split_or_another_label_makes_another_set() -> None:
    relabelled = {f"{number:03}": "dog" for number in range(100)}
    assert names(comparisons(a={}, b={"split": "validation"}, c={"labels": relabelled})) == [["a"], ["b"], ["c"]]


def test_seeds_that_draw_another_split_are_not_paired() -> None:
    assert names(comparisons(a={"recipe": "r"}, b={"recipe": "r", "seeds": [0, 1], "labels": LATER})) == [["a"], ["b"]]


def test_one_alone_has_no_tests_and_says_so() -> None:
    alone = comparisons(a={}, b={}, c={"labels": LATER})[1]
    assert (alone.verdict, alone.sentence) == (None, "There is nothing to compare c with on these images.")
    assert not [note for note in alone.notes if note.startswith(("p:", "Of one seed"))]


def test_a_baseline_is_for_its_own_images_and_for_others_the_best_is() -> None:
    found = comparisons("b", a={}, b={}, c={}, x={"labels": LATER}, y={"labels": LATER}, z={"split": "validation"})
    own, other, alone = found
    assert own.verdict and [test.second.name for test in own.verdict.tests] == ["b", "b"]
    assert other.sentence.startswith("x is better than y (p < ")
    said = "b was evaluated on other images: here the others are tested against the best."
    assert [said in one.notes for one in found] == [False, True, False]
    assert alone.groups[0].name == "z"


def test_a_baseline_is_found_by_any_of_its_names() -> None:
    runs = [experiment("a"), experiment("b", *range(9), answers="b"), experiment("tag", *range(9), answers="b")]
    (one,) = compared(ranked(runs), "tag")
    assert one.sentence.startswith("b is worse than a (")
