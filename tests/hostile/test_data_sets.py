"""Odd folders of photos and odd CSVs: what is used is counted, and what cannot be is refused in words."""

from pathlib import Path

import pytest

from onepass.core import UserError
from stages import prepare
from tests.builders import Project, new_project
from tests.hostile.data_sets import data_sets

# What prepare says at the end, or what it refuses with.
SAID = {
    "folders: as it should be": "50 images, 2 classes, 0 quarantined",
    "folders: an empty class": "50 images, 2 classes, 0 quarantined",
    "folders: a class of folders without a file": "50 images, 2 classes, 0 quarantined",
    "folders: a class all damaged": "1 of 3 classes would be lost, none of their files can be used:",
    "folders: a class of text": "1 of 3 classes would be lost, none of their files can be used:",
    "folders: one damaged": "49 images, 2 classes, 1 quarantined",
    "folders: a quarter damaged": "12 of 50 photos cannot be used: 12 truncated.",
    "folders: one class down to one photo": "cats (1 images) has none in validation",
    "folders: one class": "Found 25 usable images in 1 classes (cats); expected at least two classes. data.root holds",
    "folders: no class": "Found 0 usable images in 0 classes (none); expected at least two classes. data.root holds ",
    "folders: files that are no photos": "50 images, 2 classes, 4 quarantined",
    "folders: hidden files": "50 images, 2 classes, 2 quarantined",
    "folders: a hidden folder": "50 images, 2 classes, 1 quarantined",
    "folders: a photo beside the classes": "50 images, 2 classes, 1 quarantined",
    "folders: a copy in its class": "51 images, 2 classes, 0 quarantined",
    "folders: a copy in another class": "cats/0.png (cats) and dogs/copy.png (dogs)",
    "folders: a wrong suffix": "51 images, 2 classes, 0 quarantined",
    "folders: no suffix": "51 images, 2 classes, 0 quarantined",
    "folders: thirty folders deep": "51 images, 2 classes, 0 quarantined",
    "folders: a link to a photo": "51 images, 2 classes, 0 quarantined",
    "folders: a link to a class": "75 images, 3 classes, 0 quarantined",
    "folders: many classes": "800 images, 32 classes, 0 quarantined",
    "folders: a class in capitals too": "75 images, 3 classes, 0 quarantined",
    "splits: as it should be": "150 images, 2 classes, 0 quarantined",
    "splits: an empty class": "150 images, 2 classes, 0 quarantined",
    "splits: one damaged": "149 images, 2 classes, 1 quarantined",
    "splits: a copy in another class": "train/cats/0.png (cats) and train/dogs/copy.png (dogs)",
    "splits: a class all damaged": "1 of 3 classes would be lost, none of their files can be used:",
    "CSV: as it should be": "50 images, 2 classes, 0 quarantined",
    "CSV: a byte order mark": "50 images, 2 classes, 0 quarantined",
    "CSV: ends of lines of Windows": "50 images, 2 classes, 0 quarantined",
    "CSV: no last end of line": "50 images, 2 classes, 0 quarantined",
    "CSV: empty lines": "50 images, 2 classes, 0 quarantined",
    "CSV: quotes": "50 images, 2 classes, 0 quarantined",
    "CSV: columns turned round": "50 images, 2 classes, 0 quarantined",
    "CSV: semicolons": "labels.csv: unknown columns ['file;label']; allowed: file,label[,split][,group][,hash].",
    "CSV: UTF-16": "labels.csv is not a CSV in UTF-8",
    "CSV: empty": "labels.csv: no column file and no column label; found: [].",
    "CSV: a header alone": "Found 0 usable images in 0 classes (none); expected at least two classes. data.root holds ",
    "CSV: no header": "labels.csv: unknown columns ['cats/0.png', 'cats']; allowed: file,label[,split][,group][,hash].",
    "CSV: another column": "labels.csv: unknown columns ['note']; allowed: file,label[,split][,group][,hash].",
    "CSV: a column twice": "labels.csv: a column stands twice: ['file', 'label', 'label'].",
    "CSV: no label": "line 51: file and label must not be empty",
    "CSV: too few cells": "line 51: the number of cells is not that of the header",
    "CSV: too many cells": "line 51: the number of cells is not that of the header",
    "CSV: a file twice": "line 52: cats/0.png stands in line 2 already",
    "CSV: a file twice with two labels": "line 52: cats/0.png stands in line 2 already",
    "CSV: a file that is not there": "line 52: cats/gone.png does not exist",
    "CSV: a folder": "50 images, 2 classes, 1 quarantined",
    "CSV: a way out": "line 52: ../outside.png does not exist",
    "CSV: an absolute path": "50 images, 2 classes, 1 quarantined",
    "CSV: an unfinished quote": "labels.csv is not a CSV in UTF-8: unexpected end of data",
    "CSV: bytes that are no text": "does not exist",
    "CSV: a split misspelt": "line 2: split 'trian'; allowed: train, validation, test, or empty",
    "CSV: one split alone": "50 images, 2 classes, 0 quarantined",
    "CSV: all in a group": "cats (25 images) has none in validation",
    "CSV: a group in two splits": "group 'one' is in two splits: cats/10.png in train and cats/3.png in validation",
}
DATA_SETS = dict(data_sets())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One for all of them; prepare depends on nothing of an earlier run but what it knows of photos by their bytes."""
    return new_project(tmp_path_factory.mktemp("odd") / "project")


def test_there_are_more_than_seventy() -> None:
    assert len(DATA_SETS) > 70


@pytest.mark.parametrize("name", DATA_SETS)
def test_it_is_used_or_refused_in_words(
    name: str, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = DATA_SETS[name](tmp_path)
    layer = {"backbone.layer": "input", "backbone.weights": "data/no-weights.txt", "backbone.image_side": 8}
    project.set({"data.root": str(root), **layer})
    monkeypatch.chdir(project.folder)
    problem = ""
    try:
        prepare.main(Path("data/prepared"))
    except UserError as error:
        problem = str(error)
    new = "51 images, 2 classes, 0 quarantined" if "a photo named" in name else "75 images, 3 classes, 0 quarantined"
    assert SAID.get(name, new) in (problem or capsys.readouterr().out.splitlines()[-1])
