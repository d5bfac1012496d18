"""The accuracies of systems with their intervals, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from stages.shared.durable import write_whole
from tools.systems import System


def draw(systems: Sequence[System], path: Path) -> None:
    """Writes a .png or .svg: a row a system, a point a seed. The same systems give the same bytes."""
    kind = path.suffix[1:].lower()
    with mpl.rc_context({"svg.hashsalt": "onepass", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 1 + 0.4 * len(systems)), layout="constrained")
        axes = figure.subplots()
        for row, system in enumerate(systems):
            low, high = system.interval
            axes.plot([low, high], [row, row], color="C0", linewidth=2)
            axes.plot([system.accuracy], [row], "o", color="C0")
            if len(system.runs) > 1:
                axes.plot(system.right.mean(axis=1), [row] * len(system.runs), "|", color="black", markersize=10)
        axes.set_yticks(range(len(systems)), [system.name for system in systems])
        for tick in axes.get_yticklabels():
            tick.set_parse_math(False)  # a $ in a name is a $
        axes.set_ylim(len(systems) - 0.5, -0.5)  # the best on top
        axes.set_xlabel("accuracy with its 95 % interval; | is one seed")
        axes.grid(axis="x", alpha=0.3)
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_whole(path, content.getvalue())
