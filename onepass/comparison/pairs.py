"""Pairs of experiments, tested image by image."""

from collections.abc import Sequence
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
    def told_apart(self) -> bool:
        """The test says that one is better."""
        return self.p < LEVEL

    @property
    def winner(self) -> SeedGroup:
        """The one with the higher accuracy."""
        return self.first if self.paired.difference > 0 else self.second

    @property
    def right_on_the_same(self) -> bool:
        """Their interval has no width, which as an interval would claim too much."""
        return self.paired.low == self.paired.high == 0

    def other(self, one: SeedGroup) -> SeedGroup:
        """The other one."""
        return self.second if self.first is one else self.first


def tested(pairs: Sequence[tuple[SeedGroup, SeedGroup]]) -> list[PairOfGroups]:
    """Each pair with its test, corrected for their number."""
    found = [paired_test(first.right, second.right) for first, second in pairs]
    corrected = holm(np.array([paired.p for paired in found]))
    return [PairOfGroups(*pair, paired, float(p)) for pair, paired, p in zip(pairs, found, corrected, strict=True)]


def points(share: float) -> str:
    """A difference of accuracies in hundredths of all images, without a -0.0."""
    return f"{round(100 * share, 1) + 0.0:.1f}"
