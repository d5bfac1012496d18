"""The curves that were written while the head was trained, see onepass/heads/curve_files.py."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from onepass.heads import CURVES, curve_file

Points: TypeAlias = Sequence[tuple[float, float]]


class Curve(NamedTuple):
    """A figure by epoch for both splits; a split is missing where nothing was written."""

    name: str
    lines: dict[str, Points]  # (epoch counted from 1, value), finite values only
    dropped: int  # values that were not finite

    def values(self, split: str) -> list[float]:
        """Of one split, by epoch."""
        return [value for _, value in self.lines.get(split, [])]

    def best(self, epoch: int) -> dict[str, float]:
        """The values at an epoch; those of the only step where no epoch was chosen, which 0 stands for."""
        found = {split: dict(points).get(epoch or 1) for split, points in self.lines.items()}
        return {split: value for split, value in found.items() if value is not None}


def read_curve(training: Path, name: str) -> Curve:
    """The figure ``name``, loss or accuracy, from the folder of the curves."""
    lines: dict[str, Points] = {}
    dropped = 0
    for split in CURVES:
        path = curve_file(training, split, name)
        if not path.is_file():
            continue
        with path.open(newline="") as file:
            rows = [(int(row["step"]) + 1, float(row[name])) for row in csv.DictReader(file, delimiter="\t")]
        points = [point for point in rows if math.isfinite(point[1])]
        dropped += len(rows) - len(points)
        if points:
            lines[split] = points
    return Curve(name, lines, dropped)
