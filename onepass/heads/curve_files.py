"""The curves of a training: for each split and figure a table with a row an epoch, as `dvc plots` reads it.

They lie where dvclive puts them, which opens the DVC repository first: that takes longer than fitting a logistic head.
"""

from pathlib import Path

from onepass.heads.trained_head import Figures

CURVES = ("train", "validation")


def curve_file(folder: Path, split: str, figure: str) -> Path:
    """Where the values of one figure, loss or accuracy, are: the columns step, counted from 0, and that figure."""
    return folder / "plots" / "metrics" / split / f"{figure}.tsv"


class CurveWriter:
    """Adds a row for each epoch, so that a long training can be watched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._step = 0

    def add(self, trained: Figures, judged: Figures) -> None:
        """The figures of the next epoch."""
        for split, figures in zip(CURVES, (trained, judged), strict=True):
            for name, value in figures._asdict().items():
                path = curve_file(self._folder, split, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a" if self._step else "w") as table:
                    table.write(f"{self._step}\t{value}\n" if self._step else f"step\t{name}\n0\t{value}\n")
        self._step += 1
