"""The curves of a training, for `dvc plots` and for the pages."""

import math
from pathlib import Path

from onepass.evaluation import read_curve
from onepass.heads import CurveWriter, Figures, curve_file


def test_what_is_written_epoch_by_epoch_is_read_again_and_a_new_training_replaces_it(tmp_path: Path) -> None:
    for number in (1, 2):
        curves = CurveWriter(tmp_path)
        curves.add(Figures(0.5, 0.25), Figures(math.nan, 0.5))
        curves.add(Figures(0.125 * number, 1.0), Figures(0.75, 0.5))
    assert curve_file(tmp_path, "train", "loss").read_text() == "step\tloss\n0\t0.5\n1\t0.25\n"
    loss = read_curve(tmp_path, "loss")
    assert loss.lines == {"train": [(1, 0.5), (2, 0.25)], "validation": [(2, 0.75)]}
    assert loss.dropped == 1
    assert read_curve(tmp_path, "accuracy").lines["validation"] == [(1, 0.5), (2, 0.5)]
