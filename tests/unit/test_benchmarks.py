"""The benchmarks run, from photos to ratios; what they find is for people to read."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import chart, measuring
from benchmarks.__main__ import ROWS
from benchmarks.measuring import Options
from benchmarks.photos import LARGE, add_large, add_synthetic
from tests.builders import ENVIRONMENT, ROOT

FEWER = {
    "large-jpg": 32,
    "large-png": 32,
    "large-webp": 32,
    "extraction-vgg16-float32": 32,
    "extraction-vgg16-bfloat16": 32,
}


@pytest.mark.nightly
@pytest.mark.parametrize("row", ROWS)
def test_a_quick_run_prints_a_row_and_leaves_the_results_alone(row: str) -> None:
    before = {path: path.read_bytes() for path in measuring.RESULTS.iterdir()}
    run = [sys.executable, "-m", "benchmarks", row, "--quick", "--count", str(FEWER.get(row, 80))]
    done = subprocess.run(run, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = re.findall(r"^([a-z0-9-]+): \S+ \(target: (?:at least|at most|told)", done.stdout, re.MULTILINE)
    assert printed
    assert all(name.startswith(row.split("-", maxsplit=1)[0]) or row == "memory" for name in printed)
    assert {path: path.read_bytes() for path in measuring.RESULTS.iterdir()} == before


def test_a_row_that_there_is_not_is_named_with_those_that_there_are() -> None:
    run = [sys.executable, "-m", "benchmarks", "predict", "no-row"]
    done = subprocess.run(run, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"no row no-row; there are {', '.join(ROWS)}" in done.stderr


def test_a_result_is_kept_with_the_machine_and_stands_in_table_and_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    found = {"ours": [2.0, 2.0, 1.0], "theirs": [3.0, 4.0, 1.2]}
    measuring.record("row", "what", "s", found, [1.5, 2.0, 1.2], "at least 1.2", Options(), "another: not installed")
    row = json.loads((tmp_path / "row.json").read_text())
    assert row["machine"]["cores"] >= 1
    expected = "ours 2.00 (1.00 to 2.00), theirs 3.00 (1.20 to 4.00) s; another: not installed"
    assert f"| row | what | {expected} | **1.50 (1.20 to 2.00)** | at least 1.2 |" in chart.tables([row])
    chart.draw([row], tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_bytes().startswith(b"<?xml")


def test_what_cannot_be_measured_here_says_why_and_does_not_replace_what_was_measured_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    measuring.skip("row", "what", "at least 1.0", "no GPU", Options())
    row = json.loads((tmp_path / "row.json").read_text())
    assert "| row | what | no GPU | skipped | at least 1.0 |" in chart.tables([row])
    measuring.record("row", "what", "s", {"ours": [2.0]}, [1.5], "at least 1.0", Options())
    measuring.skip("row", "what", "at least 1.0", "no GPU", Options())
    assert json.loads((tmp_path / "row.json").read_text())["values"] == [1.5]


def test_the_readme_says_what_the_results_have() -> None:
    text = chart.README.read_text()
    assert text == chart.with_tables(text, chart.read_results())


def test_the_readme_names_every_row() -> None:
    described = chart.README.read_text().split(chart.BEGIN)[0]
    missing = [row for row in ROWS if row not in described and not row.startswith("extraction-")]
    assert missing == []


@pytest.mark.parametrize(
    ("value", "target", "times"),
    [(1.5, "at least 1.0", 1.5), (150, "at most 300 MiB", 2), (600, "at most 300 MiB", 0.5), (-5, "at most 200", 3)],
)
def test_a_bar_is_right_of_the_line_where_the_target_is_met(value: float, target: str, times: float) -> None:
    assert chart.times_better(value, target) == times


def test_a_way_that_fails_is_named() -> None:
    with pytest.raises(SystemExit, match="ours has failed; its error stands above"):
        measuring.in_turn({"ours": measuring.once(int, "no number")}, 1)


def test_large_photos_are_the_small_ones_with_12_megapixels_and_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # the limit of whoever decoded last in this process
    add_synthetic(tmp_path / "small", 2, (40, 30))
    for folder in ("once", "again"):
        add_large(tmp_path / "small", tmp_path / folder, "jpg")
    once, again = (sorted((tmp_path / folder).glob("*/*")) for folder in ("once", "again"))
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    for path in once:
        with Image.open(path) as photo:
            assert photo.size == LARGE
    assert once[0].read_bytes() != once[1].read_bytes()
