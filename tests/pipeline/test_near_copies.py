"""Photos that were saved again leak from one split into another: evaluate says so, and labels.csv mends it."""

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from tests.builders import Project, new_project, write_photos

pytestmark = [pytest.mark.slow, pytest.mark.more]


@pytest.fixture(scope="module")
def flat_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that gives all its pixels: enough values to know near-copies by."""
    from onepass.tensorflow import keras

    path: Path = tmp_path_factory.mktemp("flat") / "flat.keras"
    keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(name="flat")]).save(path)
    return path


@pytest.fixture(scope="module")
def project(flat_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("copies")
    write_photos(folder / "photos", {"cats": 20, "dogs": 20}, side=16)
    project = new_project(folder / "project")
    project.set(
        {
            "data.root": str(folder / "photos"),
            "backbone.weights": str(flat_backbone),
            "backbone.layer": "flat",
            "head.kind": "logistic",
        }
    )
    return project


def save_again(file: Path, folder: Path) -> None:
    """The same photo with other bytes, and nearly the same pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(file) as photo:
        photo.save(folder / f"{file.stem} sent, again.jpg", quality=95, subsampling=0)


def original(file: str) -> str:
    """The name that a photo had before it was saved again."""
    return Path(file).stem.removesuffix(" sent, again")


def rows(project: Project, name: str) -> list[dict[str, str]]:
    with (project.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def findings(project: Project) -> dict[str, str]:
    """The advice of each finding, by its name."""
    content = json.loads((project.folder / "metrics" / "findings.json").read_text())
    return {finding["name"]: finding["advice"] for finding in content}


def check_that_labels_mend(project: Project, photos: Path) -> list[dict[str, str]]:
    """The near-copies that were found, after the advice was followed: none is left, and every pair has one split."""
    advice = findings(project)["near-copies-across-splits"]
    assert "copy metrics/labels.csv into the folder of the photos" in advice and "run `dvc repro`" in advice
    pairs = rows(project, "metrics/near_copies.csv")
    shutil.copy(project.folder / "metrics" / "labels.csv", photos)
    assert "extract-features" not in project.repro()
    assert "near-copies-across-splits" not in findings(project)
    assert rows(project, "metrics/near_copies.csv") == rows(project, "metrics/labels.csv") == []
    splits = {row["hash"]: row["split"] for row in rows(project, "data/prepared/splits.csv")}
    assert {(splits[pair["hash"]], splits[pair["copy_hash"]]) for pair in pairs} == {("train", "train")}
    return pairs


@pytest.mark.more
def test_drawn_splits_are_drawn_again_with_near_copies_together(project: Project) -> None:
    photos = project.folder.parent / "photos"
    for file in sorted(photos.glob("*/*.png")):
        save_again(file, file.parent)
    project.repro()
    before = {row["hash"]: row["split"] for row in rows(project, "data/prepared/splits.csv")}
    pairs = check_that_labels_mend(project, photos)
    assert all(original(pair["file"]) == original(pair["copy_file"]) for pair in pairs)
    after = {row["hash"]: row["split"] for row in rows(project, "data/prepared/splits.csv")}
    assert {hash_ for hash_ in after if after[hash_] != before[hash_]} == {pair["hash"] for pair in pairs}


def test_of_given_splits_what_leaked_leaves_the_test(project: Project) -> None:
    drawn, given = project.folder.parent / "photos", project.folder.parent / "given"
    for label in ("cats", "dogs"):
        files = sorted((drawn / label).glob("*.png"))
        for split, some in (("train", files[:10]), ("validation", files[10:14]), ("test", files[14:])):
            (given / split / label).mkdir(parents=True)
            for file in some:
                shutil.copy(file, given / split / label)
        for file in files[14:16]:
            save_again(file, given / "train" / label)
        shutil.copy(files[14], given / "test" / label / "the same bytes.png")
    project.set({"data.root": str(given)})
    project.repro()
    assert len(check_that_labels_mend(project, given)) == 4
    splits = Counter(row["split"] for row in rows(project, "data/prepared/splits.csv"))
    assert splits == {"train": 20 + 4 + 4, "validation": 8, "test": 12 - 4}
