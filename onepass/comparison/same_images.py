"""What can be compared with what: experiments that were evaluated on the same images with the same labels.

Answers can only be paired image by image, so each set of images has a comparison of its own.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from onepass.comparison.differences import difference
from onepass.comparison.experiments import Experiment
from onepass.comparison.notes import looked_at, notes, optimism
from onepass.comparison.seed_groups import SeedGroup
from onepass.comparison.verdict import Verdict, against_the_baseline, against_the_best


class Comparison(NamedTuple):
    """Experiments that were evaluated on the same images, tested against one another."""

    groups: list[SeedGroup]  # the best first
    differs: str  # in what their images differ from those of the first comparison; empty: this is it
    verdict: Verdict | None  # None: there is one group alone
    notes: list[str]  # how to read it
    optimism: str  # whose accuracies these images have helped to reach

    @property
    def images(self) -> str:
        """What was evaluated: 163 test images."""
        return f"{len(self.groups[0].first.labels)} {self.groups[0].first.split} images"

    @property
    def sentence(self) -> str:
        """What follows from the tests, if there are any."""
        alone = f"There is nothing to compare {self.groups[0].name} with on these images."
        return self.verdict.sentence if self.verdict else alone


def compared(
    groups: Sequence[SeedGroup],
    baseline: str | None,
    every_pair: bool = False,
    looks: Callable[[Experiment], int] | None = None,
) -> list[Comparison]:
    """A comparison for each set of images, that of most experiments first.

    Args:
        groups: at least one, the best first.
        baseline: the name of an experiment against which those of its images are tested; else the best is.
        every_pair: is shown, where no baseline was given.
        looks: tells how many predictions the images of an experiment have judged; see ``Experiments.looks``.

    """
    reference, *others = partition(groups)
    name = reference[0].name
    differs = ["", *(f"Not those of {name}: {difference(some[0].first, reference[0].first)}." for some in others)]
    return [
        _compared(some, different, baseline, every_pair, looks)
        for some, different in zip([reference, *others], differs, strict=True)
    ]


def partition(groups: Sequence[SeedGroup]) -> list[list[SeedGroup]]:
    """Those of the same images together, in the order given; the largest set first, then by the name of its best."""
    sets: dict[tuple[str, tuple[tuple[str, str], ...]], list[SeedGroup]] = {}
    for group in groups:
        sets.setdefault((group.first.split, tuple(group.first.labels.items())), []).append(group)
    return sorted(sets.values(), key=lambda some: (-len(some), some[0].name))


def _compared(
    groups: list[SeedGroup],
    differs: str,
    baseline: str | None,
    every_pair: bool,
    looks: Callable[[Experiment], int] | None,
) -> Comparison:
    against = next((group for group in groups if baseline in [one.name for one in group.experiments]), None)
    if len(groups) == 1:
        verdict = None
    elif against:
        verdict = against_the_baseline(groups, against)
    else:
        verdict = against_the_best(groups, every_pair)
    lines = notes(groups, verdict, against)
    if verdict and baseline and not against:
        lines.append(f"{baseline} was evaluated on other images: here the others are tested against the best.")
    if looks and groups[0].first.split == "test":
        lines += looked_at(len(groups[0].first.labels), looks(groups[0].first))
    return Comparison(groups, differs, verdict, lines, optimism(groups))
