"""Long names leave room for the accuracies."""

import warnings
from pathlib import Path

from onepass.comparison import compared, draw_accuracies, ranked
from tests.unit.comparison.made_up import experiment


def test_a_name_of_a_hundred_characters_is_cut_and_the_accuracies_are_drawn(tmp_path: Path) -> None:
    runs = [experiment("a" * 50 + "b" * 50, 1), experiment("c", 2, split="validation")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns where there is no room
        draw_accuracies(compared(ranked(runs), None), tmp_path / "plot.svg")
    assert f"{'a' * 20}…{'b' * 19}<" in (tmp_path / "plot.svg").read_text(encoding="utf-8")
