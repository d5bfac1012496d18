"""What is compared: experiments that differ in nothing but their seeds count as one."""

import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.comparison.experiments import Experiment
from onepass.core import UserError, listed
from onepass.statistics import wilson


class SeedGroup(NamedTuple):
    """Experiments that differ in nothing but their seeds."""

    runs: list[Experiment]  # by seeds

    @property
    def name(self) -> str:
        """That of its run with the lowest seeds."""
        return self.runs[0].names[0]

    @property
    def right(self) -> NDArray[np.bool_]:
        """(seeds, images), the images by hash."""
        return np.stack([run.right for run in self.runs])

    @property
    def accuracy(self) -> float:
        """The mean over seeds."""
        return float(self.right.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return wilson(self.accuracy, len(self.runs[0].labels))

    @property
    def log_loss(self) -> float:
        """The mean over seeds."""
        return float(np.mean([run.log_loss for run in self.runs]))

    @property
    def seconds(self) -> float | None:
        """To train, the mean of those runs of which it is known."""
        known = [run.seconds for run in self.runs if run.seconds is not None]
        return float(np.mean(known)) if known else None

    @property
    def computed(self) -> int | None:
        """Rows of features, over all runs of which it is known."""
        known = [run.computed for run in self.runs if run.computed is not None]
        return sum(known) if known else None


def distinct(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Joins the names of those that are one: the workspace often is the experiment that ran last."""
    found: dict[tuple[str, tuple[int, ...], str], Experiment] = {}
    for experiment in experiments:
        key = (experiment.recipe, tuple(experiment.seeds), experiment.answers)
        names = [*found[key].names, *experiment.names] if key in found else experiment.names
        found[key] = experiment._replace(names=list(dict.fromkeys(names)))
    return list(found.values())


def ranked(experiments: Sequence[Experiment]) -> list[SeedGroup]:
    """The groups that these experiments form, the best first: by accuracy, log loss, name."""

    def recipe_and_images(run: Experiment) -> tuple[str, str, list[tuple[str, str]]]:
        return run.recipe, run.split, list(run.labels.items())

    runs = sorted(distinct(experiments), key=lambda run: (recipe_and_images(run), run.seeds, run.names))
    groups = [SeedGroup(list(of_one)) for _, of_one in groupby(runs, recipe_and_images)]
    return sorted(groups, key=lambda group: (-group.accuracy, group.log_loss, group.name))


def check_same_images(groups: Sequence[SeedGroup]) -> None:
    """UserError where not all were evaluated on the same images with the same labels."""
    reference = groups[0]
    differing = [(group, what) for group in groups[1:] if (what := difference(group.runs[0], reference.runs[0]))]
    if not differing:
        return
    others = {id(group) for group, _ in differing}
    same = [run.names[0] for group in groups if id(group) not in others for run in group.runs]
    advice = "Run them again with the same photos and the same split.* params."
    if len(same) > 1:
        command = shlex.join(["python", "-m", "onepass", "compare", *same])
        advice += f" Or compare those that match {reference.name}:\n  {command}"
    raise UserError(
        "answers can only be paired where they were given for the same images with the same labels.\n"
        + listed([f"{group.name}: {what}" for group, what in differing])
        + f"\n{advice}"
    )


def difference(run: Experiment, reference: Experiment) -> str:
    """In what the evaluated images of ``run`` differ from those of ``reference``; empty where in nothing."""
    name = reference.names[0]
    if run.split != reference.split:
        return f"evaluated on {run.split} images, {name} on {reference.split} images"
    added, missing = run.labels.keys() - reference.labels.keys(), reference.labels.keys() - run.labels.keys()
    common = run.labels.keys() & reference.labels.keys()
    relabelled = sum(run.labels[hash_] != reference.labels[hash_] for hash_ in common)
    facts = [(len(added), "only here"), (len(missing), f"only in {name}"), (relabelled, "with another label")]
    return ", ".join(f"images {what}: {count}" for count, what in facts if count)
