"""Which experiment is better, tested image by image, in one sentence that claims no more than the tests."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from onepass.comparison.seed_groups import SeedGroup
from onepass.statistics import LEVEL, Paired, holm, paired_test


class PairOfGroups(NamedTuple):
    """Two experiments on the same images, each with all its seeds."""

    first: SeedGroup
    second: SeedGroup
    paired: Paired  # first minus second
    p: float  # corrected

    @property
    def said(self) -> str:
        """The difference of the accuracies with its 95 % interval."""
        difference, low, high, p = self.paired
        if low == high == 0:  # an interval of nothing would claim too much
            return "right on the same ones"
        alone = "uncorrected " if p < LEVEL <= self.p else ""
        return f"the difference {points(difference)} points, {alone}interval {points(low)} to {points(high)}"


class Verdict(NamedTuple):
    """The tests against one group, how many they were corrected for, and what follows."""

    tests: list[PairOfGroups]
    corrected_for: int
    sentence: str


def against_the_best(groups: Sequence[SeedGroup]) -> Verdict:
    """Tests the first group, which is the best, against each other one.

    Which one is the best was found on these very images, so any pair could have been this one: the p-values are
    corrected for all pairs.
    """
    pairs = list(combinations(groups, 2))
    tests = _corrected(pairs)[: len(groups) - 1]
    return Verdict(tests, len(pairs), _sentence(groups[0], tests, len(pairs)))


def against_the_baseline(groups: Sequence[SeedGroup], baseline: SeedGroup) -> Verdict:
    """Tests each other group against one that was chosen before its results were seen."""
    tests = _corrected([(group, baseline) for group in groups if group is not baseline])
    return Verdict(tests, len(tests), _sentence(baseline, tests, len(tests)))


def points(share: float) -> str:
    """A difference of accuracies in hundredths of all images, without a -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def notes(groups: Sequence[SeedGroup], verdict: Verdict, baseline: SeedGroup | None) -> list[str]:
    """How the tests were made, and what they do not say."""
    several = [group for group in groups if len(group.runs) > 1]
    test = "McNemar's exact test"
    if several:
        test = f"exact permutation test of each image's share of right seeds (Fisher); of one seed each, {test}"
    correction = f"; corrected (Holm) for all {verdict.corrected_for} pairs, as the best was found on these very images"
    if baseline:
        correction = f"; corrected (Holm) for the {verdict.corrected_for} comparisons with {baseline.name}"
    lines = [
        f"p: {test}{correction if verdict.corrected_for > 1 else ''}.",
        "Intervals of differences: paired bootstrap over images (Efron), each for itself.",
        *(f"{s.name}: the mean of {', '.join(' = '.join(run.names) for run in s.runs)}." for s in several),
    ]
    if len(several) < len(groups):
        lines.append("Of one seed, a test speaks of that one trained head: another seed may give another accuracy.")
    if any(run.chose_the_epoch for group in groups for run in group.runs):
        lines.append("These images chose the epochs, too: all accuracies are somewhat optimistic.")
    return lines


def _corrected(pairs: list[tuple[SeedGroup, SeedGroup]]) -> list[PairOfGroups]:
    found = [paired_test(first.right, second.right) for first, second in pairs]
    corrected = holm(np.array([paired.p for paired in found]))
    return [PairOfGroups(*pair, paired, float(p)) for pair, paired, p in zip(pairs, found, corrected, strict=True)]


def _sentence(reference: SeedGroup, tests: list[PairOfGroups], corrected_for: int) -> str:
    unclear = [test for test in tests if test.p >= LEVEL]
    behind = [test for test in tests if test.p < LEVEL and _winner(test) is reference]
    ahead = [test for test in tests if test.p < LEVEL and _winner(test) is not reference]
    clauses = []
    if behind:
        losers = _listed([_other(test, reference) for test in behind])
        clauses.append(f"{reference.name} is better than {losers} ({_bound(behind, corrected_for)})")
    if ahead:
        winners, verb = _listed([_other(test, reference) for test in ahead]), "is" if len(ahead) == 1 else "are"
        clauses.append(f"{winners} {verb} better than {reference.name} ({_bound(ahead, corrected_for)})")
    images = f"these {len(reference.runs[0].labels)} images"
    if len(unclear) == 1:
        both = f"{unclear[0].first.name} and {unclear[0].second.name}"
        clauses.append(f"{both} cannot be told apart on {images}: {unclear[0].said}")
    elif unclear:
        others = _listed([f"{_other(test, reference)} ({test.said})" for test in unclear])
        clauses.append(f"{reference.name} cannot be told apart on {images} from {others}")
    return "; ".join(clauses) + "."


def _winner(test: PairOfGroups) -> SeedGroup:
    return test.first if test.paired.difference > 0 else test.second


def _other(test: PairOfGroups, reference: SeedGroup) -> str:
    return (test.second if test.first is reference else test.first).name


def _bound(tests: list[PairOfGroups], corrected_for: int) -> str:
    largest = max(test.p for test in tests)
    bound = min(bound for bound in (0.001, 0.01, LEVEL) if largest < bound)
    return f"p < {bound:g}" + (f" after correction for {corrected_for} comparisons" if corrected_for > 1 else "")


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
