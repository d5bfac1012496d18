"""The accuracies of experiments with their intervals, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onepass.comparison.same_images import Comparison
from onepass.comparison.seed_groups import SeedGroup
from onepass.core import cut, name_rows, picture

LONGEST_NAME = 40  # characters; a longer one would leave no room for what is drawn


def draw_accuracies(comparisons: Sequence[Comparison], path: Path) -> None:
    """Writes a .png or .svg: a row an experiment, a point a seed, a frame for those of the same images.

    The same experiments give the same bytes.
    """
    rows = [len(comparison.groups) for comparison in comparisons]
    with picture(path, 8, 1 + 0.4 * sum(rows) + 0.6 * (len(rows) - 1)) as figure:
        frames = figure.subplots(len(rows), sharex=True, squeeze=False, height_ratios=rows)[:, 0]
        for axes, comparison in zip(frames, comparisons, strict=True):
            _draw(axes, comparison.groups)
            if len(rows) > 1:
                axes.set_title(f"evaluated on {comparison.images}", loc="left", fontsize="medium")
        frames[-1].set_xlabel("accuracy with its 95 % interval; | is one seed")


def _draw(axes: Any, groups: Sequence[SeedGroup]) -> None:
    """A row each, the best on top."""
    for row, group in enumerate(groups):
        low, high = group.interval
        axes.plot([low, high], [row, row], color="C0", linewidth=2)
        axes.plot([group.accuracy], [row], "o", color="C0")
        if len(group.runs) > 1:
            axes.plot(group.right.mean(axis=1), [row] * len(group.runs), "|", color="black", markersize=10)
    name_rows(axes, [cut(group.name, LONGEST_NAME) for group in groups])
    axes.grid(axis="x", alpha=0.3)
