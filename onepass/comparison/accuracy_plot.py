"""The accuracies of groups with their intervals, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

from onepass.comparison.seed_groups import SeedGroup
from onepass.core import write_atomically


def draw_accuracies(groups: Sequence[SeedGroup], path: Path) -> None:
    """Writes a .png or .svg: a row an experiment, a point a seed. The same experiments give the same bytes."""
    import matplotlib as mpl  # noqa: PLC0415 - costs a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    kind = path.suffix[1:].lower()
    with mpl.rc_context({"svg.hashsalt": "onepass", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 1 + 0.4 * len(groups)), layout="constrained")
        axes = figure.subplots()
        for row, group in enumerate(groups):
            low, high = group.interval
            axes.plot([low, high], [row, row], color="C0", linewidth=2)
            axes.plot([group.accuracy], [row], "o", color="C0")
            if len(group.runs) > 1:
                axes.plot(group.right.mean(axis=1), [row] * len(group.runs), "|", color="black", markersize=10)
        axes.set_yticks(range(len(groups)), [group.name for group in groups])
        for tick in axes.get_yticklabels():
            tick.set_parse_math(False)  # a $ in a name is a $
        axes.set_ylim(len(groups) - 0.5, -0.5)  # the best on top
        axes.set_xlabel("accuracy with its 95 % interval; | is one seed")
        axes.grid(axis="x", alpha=0.3)
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, content.getvalue())
