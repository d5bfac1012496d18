"""What the audit finds in real photos: flipped labels, copies; and that mending what it finds makes models better."""

import csv
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import onepass
from onepass.audit import FeatureTable, are_suspect, cross_validate, without_doubted
from onepass.heads import CHEAP_HEADS
from tests.builders import MOBILENET, SHARED, Project, new_project, stages_run

pytestmark = [pytest.mark.more, pytest.mark.shared]
PHOTOS = SHARED / "data" / "cats-dogs"
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "again": lambda photo: photo,
    "half": lambda photo: photo.resize((max(photo.width // 2, 1), max(photo.height // 2, 1))),
    "mirrored": ImageOps.mirror,
    "cut": lambda photo: photo.crop(
        (photo.width // 20, photo.height // 20, photo.width * 19 // 20, photo.height * 19 // 20)
    ),
}
COPIED = 40


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Cats and dogs with four changed copies of 40 training photos, features of MobileNet, and its audit."""
    folder = tmp_path_factory.mktemp("audit")
    files = sorted(path.relative_to(PHOTOS) for path in PHOTOS.rglob("*.jpg"))
    lines = [(str(PHOTOS / file), file.parts[1], file.parts[0]) for file in files]
    training = [file for file in files if file.parts[0] == "train"]
    for file in random.Random(1).sample(training, COPIED):
        for name, change in CHANGES.items():
            copy = folder / name / file.name
            copy.parent.mkdir(exist_ok=True)
            with Image.open(PHOTOS / file) as photo:
                change(photo.convert("RGB")).save(copy, quality=60 if name == "again" else 90)
            lines.append((str(copy), file.parts[1], "train"))
    with (folder / "photos.csv").open("w", newline="") as table:
        csv.writer(table).writerows([("file", "label", "split"), *lines])
    project = new_project(folder / "project")
    project.set(
        {
            "data.root": str(folder / "photos.csv"),
            **MOBILENET,
            "head.kind": "logistic",
        }
    )
    project.commit()
    project.run("dvc", "repro", "evaluate")
    project.run("dvc", "repro", "data/probe/dvc.yaml:audit")
    return project


def findings(project: Project, kind: str) -> list[dict[str, str]]:
    with (project.folder / "data/audit.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def test_copies_are_found_whatever_was_done_to_them_and_others_are_not(project: Project) -> None:
    pairs = [(Path(row["file"]), Path(row["suggested"])) for row in findings(project, "copy")]
    same = [(one, other) for one, other in pairs if one.name == other.name]
    with_original = [
        {one, other}
        for one, other in same
        if {one, other} & {PHOTOS / "train" / p.parts[-2] / p.name for p in (one, other)}
    ]
    found = Counter(file.parent.name for pair in with_original for file in pair if file.parent.name in CHANGES)
    print("copies found of 40:", dict(found), "false pairs:", len(pairs) - len(same))
    assert found["again"] == found["half"] == COPIED
    assert found["mirrored"] >= 0.7 * COPIED
    assert found["cut"] >= 0.7 * COPIED
    assert len(pairs) - len(same) <= 3


def test_the_accuracy_left_out_is_that_on_the_validation_photos(project: Project) -> None:
    found = json.loads((project.folder / "data/probe/left_out.json").read_text())["left_out"]
    accuracy = json.loads((project.folder / "metrics/metrics.json").read_text())["accuracy"]
    assert found["logistic"]["accuracy_low"] <= accuracy <= found["logistic"]["accuracy_high"]


def suspects(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rows whose label is suspect."""
    table = FeatureTable(features, labels, ["cats", "dogs"], [])
    first = np.mean([one.probabilities for one in cross_validate(CHEAP_HEADS, table, 2, 0)], axis=0)
    return are_suspect(without_doubted(CHEAP_HEADS, table, first, 0)[0], labels)


def test_flipped_labels_are_found_and_without_any_few_are_suspect(project: Project) -> None:
    photos = onepass.load(project.folder)
    chosen = (photos.splits == "train") & np.array([str(PHOTOS) in file for file in photos.files])
    features, labels = photos.features[chosen], (photos.labels[chosen] == "dogs").astype(np.int64)
    found, right = [], []
    for seed in (0, 1):
        flipped = np.zeros(len(labels), bool)
        flipped[np.random.default_rng(seed).permutation(len(labels))[: len(labels) // 20]] = True
        suspect = suspects(features, np.where(flipped, 1 - labels, labels))
        found.append((suspect & flipped).sum() / flipped.sum())
        right.append((suspect & flipped).sum() / suspect.sum())
    clean = suspects(features, labels).mean()
    print(f"flipped labels found: {found}, of the suspects flipped: {right}, suspects without flips: {clean}")
    assert np.mean(found) >= 0.9
    assert np.mean(right) >= 0.7
    assert clean <= 0.03


def test_mending_what_the_audit_finds_makes_the_model_better_on_untouched_photos(
    project: Project, tmp_path: Path
) -> None:
    """A fifth of the training labels flipped, so that it matters; flipped again where the audit says so."""
    flawed = project.copy(tmp_path / "project")
    with (project.folder.parent / "photos.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    training = [number for number, line in enumerate(lines) if line[2] == "train" and str(PHOTOS) in line[0]]
    for number in random.Random(0).sample(training, len(training) // 5):
        lines[number][1] = {"cats": "dogs", "dogs": "cats"}[lines[number][1]]
    with (tmp_path / "photos.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    flawed.set({"data.root": str(tmp_path / "photos.csv"), "head.kind": "lda"})
    flawed.run("dvc", "repro", "evaluate", "data/probe/dvc.yaml:audit")
    before = json.loads((flawed.folder / "metrics/metrics.json").read_text())["accuracy"]
    mended = [row for row in findings(flawed, "label") if row["split"] == "train"]
    with (flawed.folder / "data/fixes.csv").open("a") as file:
        file.writelines(f"{row['hash']},{row['suggested']}\n" for row in mended)
    output = flawed.run("dvc", "repro", "evaluate")
    after = json.loads((flawed.folder / "metrics/metrics.json").read_text())["accuracy"]
    print(f"accuracy with a fifth of the labels wrong {before}, with {len(mended)} mended {after}")
    assert f"data.fixes: {len(mended)} photos have another label, 0 are dropped" in output
    assert "extract-features" not in stages_run(output)
    assert after > before + 0.01
