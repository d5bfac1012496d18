"""abstentions.json and coverage.csv: how often the head says that it does not know, and what that is worth."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from onepass.core import UserError, write_csv, write_json
from onepass.evaluation.metrics import BRING_UP_TO_DATE
from onepass.heads import Limits, TrainedHead
from onepass.statistics import wilson

STEPS = 20  # of the share of photos that are answered


class Abstentions(BaseModel):
    """The content of abstentions.json: photos of the evaluated split beyond the limits of the head."""

    model_config = ConfigDict(frozen=True)
    refuse: float  # the share that was asked for
    chosen_on: int  # validation images that chose the limits
    chose_the_limits: bool  # the evaluated split itself did, so that the shares are what was asked for
    temperature: float | None
    images: int
    unsure: int
    unfamiliar: int
    refused: int  # unsure, unfamiliar, or both
    answered_correct: int  # of the others
    in_set: int | None  # images whose set of classes holds their label; None: too few images to promise a set
    classes_in_sets: float | None  # mean


class CoveragePoint(NamedTuple):
    """A row of coverage.csv: how good the answers are if only the surest are given."""

    coverage: float  # share of the images, 0..1
    images: int
    accuracy: float
    low: float  # ends of its 95 % interval
    high: float


class DistanceWatch:
    """Measures how far evaluated images are from those that trained."""

    def __init__(self, head: TrainedHead) -> None:
        """``head``: with prototypes."""
        self._head = head
        self._found: list[NDArray[np.float32]] = []

    def evaluated(self, _hashes: Sequence[str], features: NDArray[Any], _chances: NDArray[np.float64]) -> None:
        """Images with their features, (images, *shape)."""
        if self._head.prototypes is not None:
            self._found.append(self._head.distances(features))

    def training(self, hashes: Sequence[str], features: NDArray[Any]) -> None:
        """Nothing: of those that trained, the head has kept some."""

    def distances(self) -> NDArray[np.float32]:
        """Of all images that were seen, in their order: (images,)."""
        return np.concatenate([np.empty(0, np.float32), *self._found])


def judge_abstentions(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    distances: NDArray[np.float32],
    limits: Limits,
    temperature: float | None,
    split: str,
) -> Abstentions:
    """What the limits do to the evaluated split.

    Args:
        labels: (images,), numbers of classes.
        probabilities: (images, classes).
        distances: (images,), from the training photos.

    """
    unsure, unfamiliar = ~limits.are_sure(probabilities), ~limits.are_familiar(distances)
    refused = unsure | unfamiliar
    right = probabilities.argmax(axis=1) == labels
    sets = limits.sets(probabilities) if limits.in_set is not None else None
    return Abstentions(
        refuse=limits.refuse,
        chosen_on=limits.images,
        chose_the_limits=split == "validation",
        temperature=temperature,
        images=len(labels),
        unsure=int(unsure.sum()),
        unfamiliar=int(unfamiliar.sum()),
        refused=int(refused.sum()),
        answered_correct=int(right[~refused].sum()),
        in_set=None if sets is None else int(sets[np.arange(len(labels)), labels].sum()),
        classes_in_sets=None if sets is None else float(sets.sum(axis=1).mean()),
    )


def coverage_curve(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[CoveragePoint]:
    """Accuracy of the surest share of the images, from all of them down to a few."""
    surest = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = np.cumsum((probabilities.argmax(axis=1) == labels)[surest])
    counts = sorted({max(len(labels) * step // STEPS, 1) for step in range(1, STEPS + 1)}, reverse=True)
    points = []
    for count in counts:
        accuracy = float(right[count - 1] / count)
        points.append(CoveragePoint(count / len(labels), count, accuracy, *wilson(accuracy, count)))
    return points


def write_abstentions(
    folder: Path,
    head: TrainedHead,
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    distances: NDArray[np.float32],
    split: str,
) -> None:
    """Writes the two files about the evaluated split; see ``judge_abstentions``. UserError: the head has no limits."""
    if head.limits is None:
        raise UserError("the trained head has no limits. `dvc repro --force train-head` chooses them.")
    found = judge_abstentions(labels, probabilities, distances, head.limits, head.temperature, split)
    write_json(folder / "abstentions.json", found.model_dump())
    curve = coverage_curve(labels, probabilities)
    rows = ([f"{value:.6g}" if isinstance(value, float) else value for value in point] for point in curve)
    write_csv(folder / "coverage.csv", CoveragePoint._fields, rows)


def read_abstentions(folder: Path) -> tuple[Abstentions, list[CoveragePoint]]:
    """What ``write_abstentions`` wrote. UserError: a file is missing, or not what evaluate writes."""
    path = folder / "abstentions.json"
    try:
        found = Abstentions.model_validate(json.loads(path.read_bytes()))
        path = folder / "coverage.csv"
        with path.open(newline="") as file:
            rows = csv.DictReader(file, strict=True)
            curve = [
                CoveragePoint(
                    float(row["coverage"]),
                    int(row["images"]),
                    *(float(row[key]) for key in ("accuracy", "low", "high")),
                )
                for row in rows
            ]
    except (OSError, ValueError, TypeError, KeyError, csv.Error, ValidationError) as error:
        raise UserError(f"{path} cannot be read: {error}. {BRING_UP_TO_DATE}") from error
    return found, curve
