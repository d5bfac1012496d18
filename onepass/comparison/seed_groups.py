"""What is compared: experiments that answer alike are one run, and runs that differ in nothing but seeds one group."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.comparison.experiments import IMPLIED, Experiment
from onepass.statistics import wilson


class Run(NamedTuple):
    """Experiments whose predictions are identical: whatever else differs between them, there is one answer."""

    experiments: list[Experiment]  # by name, what has a name of its own first

    @property
    def first(self) -> Experiment:
        """The one that speaks for all: in what follows from the predictions they are equal."""
        return self.experiments[0]

    @property
    def name(self) -> str:
        """That of the first."""
        return self.first.name

    @property
    def title(self) -> str:
        """All names."""
        return " = ".join(experiment.name for experiment in self.experiments)

    @property
    def seeds(self) -> list[int]:
        """The lowest."""
        return min(experiment.seeds for experiment in self.experiments)

    @property
    def chose_the_epoch(self) -> bool:
        """The evaluated images did, of one at least."""
        return any(experiment.chose_the_epoch for experiment in self.experiments)


class SeedGroup(NamedTuple):
    """Runs that differ in nothing but their seeds."""

    runs: list[Run]  # by seeds

    @property
    def first(self) -> Experiment:
        """One whose images, and what these are labelled, are those of all."""
        return self.runs[0].first

    @property
    def name(self) -> str:
        """That of its run with the lowest seeds."""
        return self.runs[0].name

    @property
    def experiments(self) -> list[Experiment]:
        """Those of all its runs."""
        return [experiment for run in self.runs for experiment in run.experiments]

    @property
    def seeds_tried(self) -> int:
        """At least as many as there are runs, or more: with some seeds the answers may have been the same."""
        return max(len(self.runs), len({tuple(experiment.seeds) for experiment in self.experiments}))

    @property
    def right(self) -> NDArray[np.bool_]:
        """(runs, images), the images by hash."""
        return np.stack([run.first.right for run in self.runs])

    @property
    def accuracy(self) -> float:
        """The mean over runs."""
        return float(self.right.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return wilson(self.accuracy, len(self.first.labels))

    @property
    def log_loss(self) -> float:
        """The mean over runs."""
        return float(np.mean([run.first.log_loss for run in self.runs]))

    @property
    def seconds(self) -> float | None:
        """To train, the mean of those experiments of which it is known."""
        known = [experiment.seconds for experiment in self.experiments if experiment.seconds is not None]
        return float(np.mean(known)) if known else None

    @property
    def computed(self) -> int | None:
        """Rows of features, over all runs of which it is known."""
        known = [run.first.computed for run in self.runs if run.first.computed is not None]
        return sum(known) if known else None


def distinct(experiments: Sequence[Experiment]) -> list[Run]:
    """Joins those with identical predictions, as the workspace and the experiment that ran last often are."""
    by_name = {experiment.name: experiment for experiment in experiments}  # once, however often it was asked for
    found: dict[str, list[Experiment]] = {}
    for experiment in sorted(by_name.values(), key=lambda one: (one.name in IMPLIED, one.name)):
        found.setdefault(experiment.answers, []).append(experiment)
    return [Run(alike) for alike in found.values()]


def ranked(experiments: Sequence[Experiment]) -> list[SeedGroup]:
    """The groups that these experiments form, the best first: by accuracy, log loss, name.

    A run of several recipes belongs to the one that has most runs, so that the seeds of that one stay together.
    """
    runs = distinct(experiments)
    runs_of = Counter(recipe for run in runs for recipe in {experiment.recipe for experiment in run.experiments})

    def recipe_and_images(run: Run) -> tuple[str, str, list[tuple[str, str]]]:
        recipe = min((experiment.recipe for experiment in run.experiments), key=lambda one: (-runs_of[one], one))
        return recipe, run.first.split, list(run.first.labels.items())

    runs.sort(key=lambda run: (recipe_and_images(run), run.seeds, run.name))
    groups = [SeedGroup(list(of_one)) for _, of_one in groupby(runs, recipe_and_images)]
    return sorted(groups, key=lambda group: (-group.accuracy, group.log_loss, group.name))
