"""Which system is better, tested image by image, in one sentence that claims no more than the tests."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tools.pairing import LEVEL, Paired, compare, holm
from tools.systems import System


class Comparison(NamedTuple):
    """Two systems on the same images."""

    first: System
    second: System
    paired: Paired  # first minus second
    p: float  # corrected

    @property
    def points(self) -> str:
        """The difference of the accuracies with its 95 % interval, in points: hundredths of all images."""
        alone = "uncorrected " if self.p >= LEVEL and self.paired.low * self.paired.high > 0 else ""
        return f"{points(self.paired.difference)} points, {alone}interval {interval(self.paired)}"


class Verdict(NamedTuple):
    """The tests against one system, how many they were corrected for, and what follows."""

    tests: list[Comparison]
    corrected_for: int
    sentence: str


def against_the_best(systems: Sequence[System]) -> Verdict:
    """Tests the first system, which is the best, against each other one.

    Which one is the best was found on these very images, so any pair could have been this one: the p-values are
    corrected for all pairs.
    """
    pairs = list(combinations(systems, 2))
    tests = _corrected(pairs)[: len(systems) - 1]
    return Verdict(tests, len(pairs), _sentence(systems[0], tests, len(pairs)))


def against_the_baseline(systems: Sequence[System], baseline: System) -> Verdict:
    """Tests each other system against one that was chosen before its results were seen."""
    tests = _corrected([(system, baseline) for system in systems if system is not baseline])
    return Verdict(tests, len(tests), _sentence(baseline, tests, len(tests)))


def points(share: float) -> str:
    """A share of all images in hundredths, without a -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def interval(paired: Paired) -> str:
    """The 95 % interval of a difference in points."""
    return f"{points(paired.low)} to {points(paired.high)}"


def _corrected(pairs: list[tuple[System, System]]) -> list[Comparison]:
    found = [compare(first.right, second.right) for first, second in pairs]
    corrected = holm(np.array([paired.p for paired in found]))
    return [Comparison(*pair, paired, float(p)) for pair, paired, p in zip(pairs, found, corrected, strict=True)]


def _sentence(reference: System, tests: list[Comparison], corrected_for: int) -> str:
    significant = [test for test in tests if test.p < LEVEL]
    worse = [test for test in significant if (test.paired.difference > 0) == (test.first is reference)]
    better = [test for test in significant if test not in worse]
    unclear = [test for test in tests if test not in significant]
    clauses = []
    if worse:
        losers = _listed([_other(test, reference) for test in worse])
        clauses.append(f"{reference.name} is better than {losers} ({_bound(worse, corrected_for)})")
    if better:
        winners = _listed([_other(test, reference) for test in better])
        verb = "is" if len(better) == 1 else "are"
        clauses.append(f"{winners} {verb} better than {reference.name} ({_bound(better, corrected_for)})")
    images = f"these {len(reference.runs[0].labels)} images"
    if len(unclear) == 1:
        both = f"{unclear[0].first.name} and {unclear[0].second.name}"
        clauses.append(f"{both} cannot be told apart on {images}: the difference {unclear[0].points}")
    elif unclear:
        others = _listed([f"{_other(test, reference)} ({test.points})" for test in unclear])
        clauses.append(f"{reference.name} cannot be told apart on {images} from {others}")
    return "; ".join(clauses) + "."


def _other(test: Comparison, reference: System) -> str:
    return (test.second if test.first is reference else test.first).name


def _bound(tests: list[Comparison], corrected_for: int) -> str:
    largest = max(test.p for test in tests)
    bound = min(bound for bound in (0.001, 0.01, LEVEL) if largest < bound)
    return f"p < {bound:g}" + (f" after correction for {corrected_for} comparisons" if corrected_for > 1 else "")


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
