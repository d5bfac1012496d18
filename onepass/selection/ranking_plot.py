"""A ranking of backbones as a picture."""

from collections.abc import Sequence
from pathlib import Path

from onepass.core import cut, name_rows, picture
from onepass.selection.ranking import Ranked

LONGEST_NAME = 48  # characters; a longer one would leave no room for what is drawn


def draw_ranking(ranked: Sequence[Ranked], path: Path) -> None:
    """Writes a .png or .svg: a row a backbone, the best on top; its accuracy, its milliseconds and its bytes.

    The same figures give the same bytes.
    """
    places = range(len(ranked))
    with picture(path, 11, 1.2 + 0.35 * len(ranked)) as figure:
        accuracy, time, size = figure.subplots(1, 3, sharey=True, width_ratios=(2, 1, 1))
        for place, one in zip(places, ranked, strict=True):
            mean, low, high = one.best.accuracy()
            accuracy.plot([low, high], [place, place], color="C0", linewidth=2)
            accuracy.plot([mean], [place], "o", color="C0")
        time.barh(places, [1000 * one.seconds for one in ranked], color="C0", height=0.5)
        size.barh(places, [one.bytes / 1000 for one in ranked], color="C0", height=0.5)
        name_rows(accuracy, [_name(one) for one in ranked])
        accuracy.set_xlabel("accuracy with its 95 % interval")
        time.set_xlabel("milliseconds a photo")
        size.set_xlabel("kB of features a photo")
        for axes in (accuracy, time, size):
            axes.grid(axis="x", alpha=0.3)


def _name(one: Ranked) -> str:
    params = one.candidate.params
    preprocess = params.preprocess if isinstance(params.preprocess, str) else "its own"
    return cut(f"{one.candidate.label}, {params.cut}, {one.side}, {preprocess}", LONGEST_NAME)
