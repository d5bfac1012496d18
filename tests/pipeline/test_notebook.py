"""The photos of a project as arrays: what the stages wrote, verified, and the page of the docs runs as it stands."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import onepass
from onepass import notebook
from onepass.core import UserError
from tests.browser.report_project import finished_project
from tests.builders import ROOT, Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished_project(tmp_path_factory.mktemp("notebook"))


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_arrays_are_what_the_stages_wrote(project: Project, in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "IN_MEMORY", in_memory)
    photos = onepass.load(project.folder)
    with (project.folder / "metrics/predictions.csv").open(newline="") as file:
        rows = {row["hash"]: row for row in csv.DictReader(file)}
    assert photos.hashes.tolist() == sorted(rows)
    for number, hash_ in enumerate(photos.hashes.tolist()):
        row = rows[hash_]
        given = photos.files[number], photos.splits[number], photos.labels[number]
        assert given == (row["file"], row["split"], row["label"])
        assert photos.probabilities is not None
        assert photos.probabilities[number] == pytest.approx([float(row[f"p_{name}"]) for name in photos.classes])
    everything = np.asarray(photos.features)
    assert everything.shape == photos.features.shape == (60, 8, 8, 3)
    assert (photos.features[7] == everything[7]).all()
    assert (photos.features[5:9] == everything[5:9]).all()
    assert (photos.features[photos.splits == "train"] == everything[photos.splits == "train"]).all()
    assert str(photos).startswith("60 photos of 3 classes (")
    assert "<script>" not in photos._repr_html_()
    assert photos.table(2)[1].keys() == {"hash", "file", "split", "label", *(f"p_{name}" for name in photos.classes)}


def test_a_damaged_row_is_named(project: Project, tmp_path: Path) -> None:
    copied = project.copy(tmp_path / "project").folder
    part = sorted((copied / "data/features").glob("*.npy"))[3]
    content = bytearray(part.read_bytes())
    content[-1] ^= 1
    part.chmod(0o644)
    part.write_bytes(content)
    with pytest.raises(UserError, match=rf"A part of the features is damaged\. .*{part.name}: 1 of \d+ rows"):
        onepass.load(copied)


def test_before_the_first_run_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"splits\.csv is missing\. `dvc repro` writes it"):
        onepass.load(tmp_path)


def test_without_predictions_of_these_photos_there_are_no_probabilities(project: Project, tmp_path: Path) -> None:
    copied = project.copy(tmp_path / "project").folder
    path = copied / "metrics/predictions.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert onepass.load(copied).probabilities is None
    path.unlink()
    assert onepass.load(copied).probabilities is None


def test_the_page_of_the_docs_runs(project: Project, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/notebooks.md").read_text(), re.DOTALL)
    copied = project.copy(tmp_path / "project")
    (copied.folder / "cell.py").write_text(code)
    output = copied.run("python", "cell.py")
    assert re.search(r"^accuracy [01]\.", output, re.MULTILINE)
    assert (copied.folder / "map.png").read_bytes().startswith(b"\x89PNG")
