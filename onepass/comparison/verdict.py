"""Which experiment is better: the tests of those that were evaluated on the same images, and what follows from them."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from onepass.comparison.headline import headline
from onepass.comparison.pairs import PairOfGroups, tested
from onepass.comparison.seed_groups import SeedGroup


class Verdict(NamedTuple):
    """The tests to show, how many they were corrected for, and what follows."""

    tests: list[PairOfGroups]
    corrected_for: int
    sentence: str


def against_the_best(groups: Sequence[SeedGroup], every_pair: bool = False) -> Verdict:
    """Tests every pair of groups, and says how the first, which is the best, stands against each other one.

    Which one is the best was found on these very images, so any pair could have been this one: the p-values are
    corrected for all pairs.

    Args:
        every_pair: is shown; otherwise those with the best.

    """
    tests = tested(list(combinations(groups, 2)))
    of_the_best = tests[: len(groups) - 1]
    return Verdict(tests if every_pair else of_the_best, len(tests), headline(groups[0], of_the_best, len(tests)))


def against_the_baseline(groups: Sequence[SeedGroup], baseline: SeedGroup) -> Verdict:
    """Tests each other group against one that was chosen before its results were seen."""
    tests = tested([(group, baseline) for group in groups if group is not baseline])
    return Verdict(tests, len(tests), headline(baseline, tests, len(tests)))
