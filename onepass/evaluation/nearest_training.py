"""nearest.csv: the training images that are most like an image that was predicted wrongly, to see why it was."""

import csv
import heapq
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, write_csv
from onepass.evaluation.metrics import BRING_UP_TO_DATE
from onepass.heads import root_directions
from onepass.photos import AssignmentTable

MISTAKES = 64  # of the evaluated split, those that the head is surest of
COUNT = 2  # training images for each
DECIMALS = 4  # of the cosine: the last bits are the processor's


class Nearest(NamedTuple):
    """A row of nearest.csv."""

    hash: str  # of the evaluated image
    training_hash: str
    file: str  # of the training image
    label: str  # of the training image
    cosine: str  # of the roots of their features: see onepass/heads/familiarity.py


class NearestTraining:
    """Looks at the evaluated images first, and then at those of training: each is seen once."""

    def __init__(self, labels: NDArray[np.int64]) -> None:
        """``labels``: of the evaluated images, in the order in which they come."""
        self._labels = labels
        self._seen = 0
        self._wrong: list[
            tuple[float, int, str, NDArray[np.float32]]
        ] = []  # how sure, minus the number, hash, features
        self._found: list[list[tuple[float, str]]] = []  # of each: minus the cosine and hash of training images

    def evaluated(self, hashes: Sequence[str], features: NDArray[Any], chances: NDArray[np.float64]) -> None:
        """Evaluated images with their features, (images, *shape), and what the head says of them, (images, classes)."""
        predicted = chances.argmax(axis=1)
        for place in np.flatnonzero(predicted != self._labels[self._seen : self._seen + len(hashes)]).tolist():
            sure = float(chances[place, predicted[place]])
            mistake = sure, -(self._seen + place), hashes[place], root_directions(features[place : place + 1])[0]
            (heapq.heappush if len(self._wrong) < MISTAKES else heapq.heappushpop)(self._wrong, mistake)
        self._seen += len(hashes)
        self._found = [[] for _ in self._wrong]

    def training(self, hashes: Sequence[str], features: NDArray[Any]) -> None:
        """Training images with their features."""
        if not self._wrong:
            return
        cosines = np.stack([vector for *_, vector in self._wrong]) @ root_directions(features).T
        for found, row in zip(self._found, cosines, strict=True):
            for place in np.argsort(-row, kind="stable")[:COUNT].tolist():
                found.append((-float(row[place]), hashes[place]))
            found.sort()
            del found[COUNT:]

    @property
    def hashes(self) -> set[str]:
        """Of the training images that were found."""
        return {hash_ for found in self._found for _, hash_ in found}

    def write(self, path: Path, files: Mapping[str, str], rows: AssignmentTable) -> None:
        """Writes the table, the surest mistake first.

        Args:
            files: of the images in ``hashes``.
            rows: of splits.csv.

        """
        ordered = sorted(zip(self._wrong, self._found, strict=True), key=lambda both: both[0][:2], reverse=True)
        labels = {near: rows[place].label for near in self.hashes if (place := rows.place(near)) is not None}
        lines = [
            Nearest(hash_, near, files[near], labels[near], f"{-unlike:.{DECIMALS}f}")
            for (_, _, hash_, _), found in ordered
            for unlike, near in found
        ]
        write_csv(path, Nearest._fields, lines)


def read_nearest(path: Path) -> dict[str, list[Nearest]]:
    """The rows of nearest.csv by evaluated image. UserError where it is missing or something else."""
    found: dict[str, list[Nearest]] = {}
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                found.setdefault(row["hash"], []).append(Nearest(**row))
    except (OSError, KeyError, TypeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read: {error!r}. {BRING_UP_TO_DATE}") from error
    return found
