"""The curves that dvclive wrote while the head was trained, as charts."""

import csv
import math
from pathlib import Path
from typing import Any, NamedTuple

from stages.shared.report.charts import Axis, Points, line_chart, round_down

SPLITS = ("train", "validation")  # the names of dvclive's files, and of the line styles
RATIO = 30  # of the highest to the lowest loss, from which on its axis is logarithmic


class Curve(NamedTuple):
    """A figure by epoch for both splits; a split is missing where nothing was written."""

    name: str
    lines: dict[str, Points]  # (epoch counted from 1, value), finite values only
    dropped: int  # values that were not finite

    def best(self, epoch: int) -> dict[str, float]:
        """The values at an epoch; those of the only step where no epoch was chosen, which 0 stands for."""
        found = {split: dict(points).get(epoch or 1) for split, points in self.lines.items()}
        return {split: value for split, value in found.items() if value is not None}

    def chart(self, best_epoch: int) -> Any:
        """The chart, or None where there are not two epochs to connect."""
        if max((len(points) for points in self.lines.values()), default=0) < 2:
            return None
        ends = [f"{split} from {points[0][1]:.3g} to {points[-1][1]:.3g}" for split, points in self.lines.items()]
        text = f"{self.name} by epoch: {', '.join(ends)}; epoch {best_epoch} was kept"
        return line_chart(text, self.lines, "epoch", self._axis(), (best_epoch, "kept"))

    @property
    def log(self) -> bool:
        """Whether the axis is logarithmic, because the values are far apart."""
        values = self._values()
        return self.name == "loss" and 0 < RATIO * min(values) < max(values)

    def _axis(self) -> Axis:
        low, high = min(self._values()), max(self._values())
        if self.name == "accuracy":
            return Axis(round_down(low), 1, 0, 0)
        return Axis(low, high, 0, 0, log=True) if self.log else Axis(min(low, 0), max(high, 1e-9), 0, 0)

    def _values(self) -> list[float]:
        return [value for points in self.lines.values() for _, value in points]


def read_curve(training: Path, name: str) -> Curve:
    """The figure ``name``, loss or accuracy, from dvclive's folder."""
    lines: dict[str, Points] = {}
    dropped = 0
    for split in SPLITS:
        path = training / "plots" / "metrics" / split / f"{name}.tsv"
        if not path.is_file():
            continue
        with path.open(newline="") as file:
            rows = [(int(row["step"]) + 1, float(row[name])) for row in csv.DictReader(file, delimiter="\t")]
        points = [point for point in rows if math.isfinite(point[1])]
        dropped += len(rows) - len(points)
        if points:
            lines[split] = points
    return Curve(name, lines, dropped)
