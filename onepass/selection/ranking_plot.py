"""A ranking of backbones as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

from onepass.core import write_atomically
from onepass.selection.ranking import Ranked

LONGEST_NAME = 48  # characters; a longer one would leave no room for what is drawn


def draw_ranking(ranked: Sequence[Ranked], path: Path) -> None:
    """Writes a .png or .svg: a row a backbone, the best on top; its accuracy, its milliseconds and its bytes.

    The same figures give the same bytes.
    """
    import matplotlib as mpl  # noqa: PLC0415 - costs a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    kind = path.suffix[1:].lower()
    places = range(len(ranked))
    with mpl.rc_context({"svg.hashsalt": "onepass", "svg.fonttype": "none"}):
        figure = Figure(figsize=(11, 1.2 + 0.35 * len(ranked)), layout="constrained")
        accuracy, time, size = figure.subplots(1, 3, sharey=True, width_ratios=(2, 1, 1))
        for place, one in zip(places, ranked, strict=True):
            mean, low, high = one.best.accuracy()
            accuracy.plot([low, high], [place, place], color="C0", linewidth=2)
            accuracy.plot([mean], [place], "o", color="C0")
        time.barh(places, [1000 * one.seconds for one in ranked], color="C0", height=0.5)
        size.barh(places, [one.bytes / 1000 for one in ranked], color="C0", height=0.5)
        accuracy.set_yticks(places, [_name(one) for one in ranked])
        for tick in accuracy.get_yticklabels():
            tick.set_parse_math(False)  # a $ in a name is a $
        accuracy.set_ylim(len(ranked) - 0.5, -0.5)
        accuracy.set_xlabel("accuracy with its 95 % interval")
        time.set_xlabel("milliseconds a photo")
        size.set_xlabel("kB of features a photo")
        for axes in (accuracy, time, size):
            axes.grid(axis="x", alpha=0.3)
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, content.getvalue())


def _name(one: Ranked) -> str:
    params = one.candidate.params
    preprocess = params.preprocess if isinstance(params.preprocess, str) else "its own"
    name = f"{one.candidate.label}, {params.layer}, {one.side}, {preprocess}"
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."
