"""Every pair of experiments is tested, and corrected for as many pairs as could have been the one to speak of."""

import pytest

from onepass.comparison.verdict import against_the_baseline, against_the_best
from tests.unit.comparison.made_up import groups


def test_three_that_differ_clearly_are_put_in_order_below_the_best() -> None:
    verdict = against_the_best(groups(c=range(40), a=range(2), b=range(20)))
    assert verdict.sentence == "a is better than b and c (p < 0.001 after correction for 3 comparisons)."
    assert verdict.corrected_for == 3


def test_the_best_is_tested_as_one_of_all_pairs_because_it_was_found_on_these_images() -> None:
    tested = groups(a=range(0), b=range(6), c=range(6, 12), d=range(12, 18))
    of_the_best = against_the_best(tested).tests
    assert [test.paired.p for test in of_the_best] == pytest.approx([0.03125] * 3)
    assert [test.p for test in of_the_best] == pytest.approx([6 * 0.03125] * 3)


def test_every_pair_is_shown_where_that_is_wanted_with_the_same_correction_and_the_same_sentence() -> None:
    tested = groups(a=range(2), b=range(20), c=range(40), d=range(60))
    some, every = against_the_best(tested), against_the_best(tested, every_pair=True)
    assert [test.first.name + test.second.name for test in every.tests] == ["ab", "ac", "ad", "bc", "bd", "cd"]
    assert [test.p for test in every.tests[:3]] == [test.p for test in some.tests]
    assert (every.corrected_for, every.sentence) == (some.corrected_for, some.sentence)


def test_a_baseline_is_corrected_for_the_comparisons_with_it_only() -> None:
    tested = groups(a=range(0), b=range(6), c=range(6, 12), d=range(12, 18))
    verdict = against_the_baseline(tested, tested[0])
    assert [test.p for test in verdict.tests] == pytest.approx([3 * 0.03125] * 3)
    assert [test.paired.difference for test in verdict.tests] == pytest.approx([-0.06] * 3)
