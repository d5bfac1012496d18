"""The headline claims what the tests allow, has two lines at most, and leaves nobody out."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.comparison import SeedGroup
from onepass.comparison.verdict import Verdict, against_the_baseline, against_the_best
from tests.unit.comparison.made_up import groups


def test_two_need_no_correction() -> None:
    assert against_the_best(groups(a=range(0), b=range(6))).sentence == "a is better than b (p < 0.05)."


def test_what_cannot_be_told_apart_is_given_with_its_interval() -> None:
    (test,) = (verdict := against_the_best(groups(a=range(3), b=range(2, 7)))).tests
    low, high = 100 * test.paired.low, 100 * test.paired.high
    assert low < 0 < high
    said = f"the difference 2.0 points, interval {low:.1f} to {high:.1f}"
    assert verdict.sentence == f"a cannot be told apart from b on these 100 images: {said}."


def test_an_interval_without_zero_only_before_the_correction_is_called_uncorrected() -> None:
    sentence = against_the_best(groups(a=range(0), b=range(6), c=range(40), d=range(40, 80))).sentence
    assert sentence.startswith("a is better than c and d (p < 0.001 after correction for 6 comparisons); not told ")
    assert "apart from b: the difference 6.0 points, uncorrected interval 2.0 to " in sentence


def test_of_several_the_largest_difference_is_given_and_how_far_the_intervals_reach() -> None:
    verdict = against_the_best(groups(a=range(0), b=range(4), c=range(6, 12)))
    reach = max(100 * test.paired.high for test in verdict.tests)
    assert verdict.sentence == (
        "a cannot be told apart from b and c on these 100 images: "
        f"at most 6.0 points apart, intervals up to {reach:.1f}."
    )


def test_the_same_right_answers_are_not_given_an_interval_of_nothing() -> None:
    sentence = against_the_best(groups(a=range(3), b=range(3))).sentence
    assert sentence == "a cannot be told apart from b on these 100 images: right on the same ones."


def test_one_that_beats_the_baseline_and_one_that_does_not_are_both_named() -> None:
    tested = groups(best=range(0), base=range(20), worst=range(60))
    assert against_the_baseline(tested, tested[1]).sentence == (
        "base is better than worst and worse than best (p < 0.001 after correction for 2 comparisons)."
    )


def test_of_ten_those_that_are_many_are_counted_and_the_few_are_named() -> None:
    many = {f"e{number}": range(40 + number) for number in range(7)}
    sentence = against_the_best(groups(best=range(0), small=range(1), wide=range(1, 2), **many)).sentence
    assert sentence.startswith(
        "best is better than 7 of the 9 others (p < 0.001 after correction for 45 comparisons); "
        "not told apart from small and wide: at most 1.0 points apart, intervals up to "
    )


def test_of_a_long_name_both_ends_are_shown() -> None:
    name = "a" * 60 + "b" * 40
    sentence = against_the_best(groups(**{name: range(0), "x" * 100: range(60)})).sentence
    assert sentence.startswith(f"{'a' * 16}…{'b' * 15} is better than {'x' * 16}…")


@st.composite
def some_groups(draw: st.DrawFn) -> list[SeedGroup]:
    """Two to twelve with names of any length, as good as each other or better by any step."""
    names = draw(st.lists(st.text("abc-xyz", min_size=1, max_size=100), min_size=2, max_size=12, unique=True))
    starts = draw(st.lists(st.integers(0, 90), min_size=len(names), max_size=len(names)))
    lengths = draw(st.lists(st.sampled_from([0, 1, 2, 6, 9, 30]), min_size=len(names), max_size=len(names)))
    ranges = {
        f"n{name}": range(start, start + length) for name, start, length in zip(names, starts, lengths, strict=True)
    }
    return groups(**ranges)


def counted(phrase: str) -> int:
    """How many others a phrase of the headline speaks of."""
    number = re.match(r"(?:all |any of the )?(\d+)", phrase)
    return int(number[1]) if number else len(re.split(", | and ", phrase))


def spoken_of(sentence: str) -> dict[str, int]:
    """How many others the headline puts below, above, and beside the one that it is about."""
    phrase = "(.+?)(?= and worse than | \\(p < |: | on these |$)"
    found = {verb: re.search(f"{verb} {phrase}", sentence) for verb in ("better than", "worse than", "told apart from")}
    return {verb: counted(match[1]) if match else 0 for verb, match in found.items()}


@given(some_groups(), st.integers(-1, 11))
@settings(max_examples=60, deadline=None)
def test_any_headline_has_two_lines_and_counts_everyone_as_the_tests_do(tested: list[SeedGroup], place: int) -> None:
    reference = tested[max(place, 0) % len(tested)]
    verdict: Verdict = against_the_best(tested) if place < 0 else against_the_baseline(tested, reference)
    told = [test for test in verdict.tests if test.p < 0.05]
    behind = sum((test.paired.difference > 0) == (test.first is reference) for test in told)
    assert len(verdict.sentence) <= 200
    assert spoken_of(verdict.sentence) == {
        "better than": behind,
        "worse than": len(told) - behind,
        "told apart from": len(verdict.tests) - len(told),
    }
