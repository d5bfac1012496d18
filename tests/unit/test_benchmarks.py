"""The benchmarks run, from photos to ratios; what they find is for people to read."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import chart, measuring
from tests.builders import ENVIRONMENT, ROOT


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("command", "rows"),
    [
        (("benchmarks.extraction", "extraction-mobilenet-bfloat16-openvino"), 1),
        (("benchmarks.head",), 1),
        (("benchmarks.repro", "repro-nothing", "repro-head"), 2),
        (("benchmarks.memory",), 7),
    ],
)
def test_a_quick_run_prints_each_row_and_leaves_the_results_alone(command: tuple[str, ...], rows: int) -> None:
    before = {path: path.read_bytes() for path in measuring.RESULTS.iterdir()}
    run = [sys.executable, "-m", *command, "--quick"]
    done = subprocess.run(run, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^[a-z0-9-]+: [\d.]+ \(target: at (?:least|most) ", done.stdout, re.MULTILINE)) == rows
    assert {path: path.read_bytes() for path in measuring.RESULTS.iterdir()} == before


def test_a_result_is_kept_with_the_machine_and_stands_in_table_and_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    measuring.record("row", "what", "s", {"ours": 2.0, "theirs": 3.0}, 1.5, "at least 1.2")
    row = json.loads((tmp_path / "row.json").read_text())
    assert row["machine"]["cores"] >= 1
    assert "| row | what | ours 2, theirs 3 s | **1.50** | at least 1.2 |" in chart.table([row])
    chart.draw([row], tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_bytes().startswith(b"<?xml")
