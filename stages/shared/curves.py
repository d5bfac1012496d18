"""The curves that dvclive wrote while the head was trained, as charts."""

import csv
import math
from pathlib import Path
from typing import Any, NamedTuple

from stages.shared.charts import Axis, Points, line_chart

SPLITS = ("train", "validation")  # the names of dvclive's files, and of the line styles
RATIO = 30  # of the highest to the lowest loss, from which on its axis is logarithmic


class Curve(NamedTuple):
    """A figure by epoch for both splits; a split is missing where nothing was written."""

    name: str
    lines: dict[str, Points]  # (epoch counted from 1, value), finite values only
    dropped: int  # values that were not finite

    def best(self, epoch: int) -> dict[str, float]:
        """The values at an epoch."""
        found = {split: dict(points).get(epoch) for split, points in self.lines.items()}
        return {split: value for split, value in found.items() if value is not None}

    def chart(self, best_epoch: int) -> Any:
        """The chart, or None where there are not two epochs to connect."""
        values = [value for points in self.lines.values() for _, value in points]
        if max((len(points) for points in self.lines.values()), default=0) < 2:
            return None
        ends = [f"{split} from {points[0][1]:.3g} to {points[-1][1]:.3g}" for split, points in self.lines.items()]
        text = f"{self.name} by epoch: {', '.join(ends)}; the kept epoch is {best_epoch}"
        return line_chart(text, self.lines, "epoch", self._axis(values), (best_epoch, f"kept: {best_epoch}"))

    def _axis(self, values: list[float]) -> Axis:
        low, high = min(values), max(values)
        if self.name == "accuracy":
            return Axis(min(math.floor(low * 10) / 10, 0.9), 1, 0, 0)
        if low > 0 and high / low > RATIO:
            return Axis(low, high, 0, 0, log=True)
        return Axis(min(low, 0), max(high, 1e-9), 0, 0)


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
