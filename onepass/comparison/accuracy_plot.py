"""The accuracies of experiments with their intervals, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onepass.comparison.headline import cut
from onepass.comparison.same_images import Comparison
from onepass.comparison.seed_groups import SeedGroup
from onepass.core import write_atomically

LONGEST_NAME = 40  # characters; a longer one would leave no room for what is drawn


def draw_accuracies(comparisons: Sequence[Comparison], path: Path) -> None:
    """Writes a .png or .svg: a row an experiment, a point a seed, a frame for those of the same images.

    The same experiments give the same bytes.
    """
    import matplotlib as mpl  # noqa: PLC0415 - costs a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    kind = path.suffix[1:].lower()
    rows = [len(comparison.groups) for comparison in comparisons]
    with mpl.rc_context({"svg.hashsalt": "onepass", "svg.fonttype": "none"}):
        height = 1 + 0.4 * sum(rows) + 0.6 * (len(rows) - 1)
        figure = Figure(figsize=(8, height), layout="constrained")
        frames = figure.subplots(len(rows), sharex=True, squeeze=False, height_ratios=rows)[:, 0]
        for axes, comparison in zip(frames, comparisons, strict=True):
            _draw(axes, comparison.groups)
            if len(rows) > 1:
                axes.set_title(f"evaluated on {comparison.images}", loc="left", fontsize="medium")
        frames[-1].set_xlabel("accuracy with its 95 % interval; | is one seed")
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, content.getvalue())


def _draw(axes: Any, groups: Sequence[SeedGroup]) -> None:
    """A row each, the best on top."""
    for row, group in enumerate(groups):
        low, high = group.interval
        axes.plot([low, high], [row, row], color="C0", linewidth=2)
        axes.plot([group.accuracy], [row], "o", color="C0")
        if len(group.runs) > 1:
            axes.plot(group.right.mean(axis=1), [row] * len(group.runs), "|", color="black", markersize=10)
    axes.set_yticks(range(len(groups)), [cut(group.name, LONGEST_NAME) for group in groups])
    for tick in axes.get_yticklabels():
        tick.set_parse_math(False)  # a $ in a name is a $
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
