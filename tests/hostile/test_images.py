"""Thousands of odd images: none crashes a stage, none is believed that should not be, none costs much."""

import csv
import os
import re
import time
from pathlib import Path

import pytest

from onepass.photos import UndecodableError, decode
from tests.builders import MEASURED, Project
from tests.hostile.images import hostile_images

COUNT = int(os.environ.get("ONEPASS_IMAGES", "3000"))
LIMIT = 80_000_000  # pixels
MOST_MEMORY = 700 << 20  # bytes that prepare may take
MORE_MEMORY = 300 << 20  # bytes that extract-features may take beyond what it takes for small photos
EXTRACT = ("python", "-m", "stages.extract_features", "data/weights.json", "data/prepared", "data/features")


def test_each_is_usable_or_refused_for_a_right_reason() -> None:
    for odd in hostile_images(1, 360):
        try:
            decode(odd.content, LIMIT, 512)
            found = "usable"
        except UndecodableError as refusal:
            found = refusal.reason
        assert found in odd.expected, odd.name


@pytest.mark.more
def test_prepare_and_extraction_take_thousands_of_them_in_their_stride(pixel_project: Project, tmp_path: Path) -> None:
    project = pixel_project.copy(tmp_path / "project")
    expected = {}
    for number, odd in enumerate(hostile_images(2, COUNT)):
        name = f"{('cats', 'dogs')[number % 2]}/{odd.name}"
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(odd.content)
        expected[name] = odd.expected
    project.set({"data.root": str(tmp_path / "photos"), "data.max_quarantined": 1})
    (project.folder / "data/prepared").mkdir()
    start = time.perf_counter()
    said, peak = measured(project, "python", "-m", "stages.prepare", "data/prepared")
    seconds = time.perf_counter() - start
    assert peak <= MOST_MEMORY
    reasons = dict.fromkeys(column(project, "images.csv", "file"), "usable")
    rows = zip(column(project, "quarantine.csv", "file"), column(project, "quarantine.csv", "reason"), strict=True)
    reasons |= dict(rows)
    assert set(reasons) == set(expected)
    wrong = {name: (reason, sorted(expected[name])) for name, reason in reasons.items() if reason not in expected[name]}
    assert not wrong
    print(f"{COUNT} images: {seconds / COUNT * 1000:.1f} s for 1,000, peak {peak >> 20} MiB")
    others = [line for line in said.splitlines() if not re.match(r"prepare|quarantined|\d+ |peak|$", line)]
    assert not others
    written = (project.folder / "data/prepared/quarantine.csv").read_bytes()
    project.run("python", "-m", "stages.prepare", "data/prepared")
    assert (project.folder / "data/prepared/quarantine.csv").read_bytes() == written
    usual = pixel_project.copy(tmp_path / "usual")
    (usual.folder / "data/prepared").mkdir()
    usual.run("python", "-m", "stages.prepare", "data/prepared")
    for decoding in ("scaled", "exact"):
        normal, peak = (peak_of_extraction(each, decoding) for each in (usual, project))
        print(f"extract-features, {decoding}: {(peak - normal) >> 20} MiB more than for 60 small photos")
        assert peak <= normal + MORE_MEMORY


def peak_of_extraction(project: Project, decoding: str) -> int:
    """Bytes of memory that extract-features takes where it decodes every photo itself."""
    # Pixels of this size are not among those that prepare has left.
    project.set({"backbone.image_side": 24, "backbone.decoding": decoding})
    project.run("python", "-m", "stages.weights", "data/weights.json")
    said, peak = measured(project, *EXTRACT)
    assert ": 0 reused" in said
    return peak


def measured(project: Project, *command: str) -> tuple[str, int]:
    """What a command says, and how many bytes of memory it takes at most."""
    said = project.run("python", "-c", MEASURED, *command)
    assert "Traceback" not in said
    return said, int(re.findall(r"peak (\d+)", said)[0])


def column(project: Project, table: str, name: str) -> list[str]:
    with (project.folder / "data/prepared" / table).open(newline="", errors="surrogateescape") as file:
        return [row[name] for row in csv.DictReader(file)]
