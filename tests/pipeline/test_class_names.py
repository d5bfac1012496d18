"""A class whose folder has a name that is no UTF-8 goes through all that is written and read."""

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path

import pytest

from onepass.core import write_json
from onepass.evaluation import read_answers, read_classes, read_findings
from onepass.heads import read_head, write_head
from onepass.model.keras_model import read_model
from tests.browser.report_project import HEAD, MODEL, OUT, run_stages
from tests.builders import new_project, write_photos
from tests.unit.heads.test_trained_head import head

CLASS = os.fsdecode(b"caf\xe9")
PARAMS = {
    "data.root": "photos",
    "backbone.layer": "input",
    "backbone.weights": "data/no-weights.txt",
    "backbone.image_side": 8,
    "split.validation_fraction": 0.25,
    "train.epochs": 1,
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another class has five times as many photos, so that a finding names this one."""
    project = new_project(tmp_path_factory.mktemp("names") / "project")
    write_photos(project.folder / "photos", {CLASS: 20, "thé": 100})
    project.set(PARAMS)
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):  # as strict as a terminal
        run_stages(project)
    return project.folder


def test_a_name_that_is_no_utf8_comes_back_from_json_and_others_stay_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {CLASS: 1, "thé": 2})
    assert json.loads((tmp_path / "x.json").read_bytes()) == {CLASS: 1, "thé": 2}
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{\n  "caf\\udce9": 1,\n  "thé": 2\n}\n'


def test_a_head_knows_it_again(tmp_path: Path) -> None:
    written = head()._replace(classes=["ant", CLASS, "thé"])
    write_head(tmp_path, written)
    assert read_head(tmp_path).classes == written.classes


def test_every_output_of_a_run_names_it_as_the_folder_does(finished: Path) -> None:
    assert read_head(finished / HEAD).classes == read_model(finished / MODEL).classes == [CLASS, "thé"]
    assert [row.label for row in read_classes(finished / OUT / "classes.csv")] == [CLASS, "thé"]
    assert any(CLASS in finding.evidence for finding in read_findings(finished / OUT / "findings.json"))
    with (finished / OUT / "predictions.csv").open("rb") as file:
        answers = read_answers(file, "test", hashlib.sha256())
    assert set(answers.labels.values()) == {CLASS, "thé"}
    text = (finished / OUT / "report.html").read_text(encoding="utf-8")
    assert "caf\\xe9" in text and "thé" in text
