"""Long work without a terminal says where it is, line by line; short work says nothing."""

import time

import pytest

from onepass.core import progress_bar
from onepass.core.progress import SILENCE


def test_without_a_terminal_there_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onepass.core.progress.SILENCE", 0.05)
    with progress_bar(40, "extract-features", "images") as bar:
        for _ in range(40):
            time.sleep(0.01)
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 9
    assert lines[0].startswith("extract-features: ")
    assert " of 40 images, " in lines[0]
    assert lines[0].endswith(" left")
    assert "\r" not in "".join(lines)


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(3, "prepare", "images") as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""


def test_silence_is_half_a_minute() -> None:
    assert SILENCE == 30
