"""Whether a model knows what it does not know: strangers, and probabilities that are as high as they are right."""

import csv
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from onepass.evaluation.metrics import calibration_error
from tests.builders import MOBILENET, SHARED, Project, new_project

pytestmark = [pytest.mark.more, pytest.mark.shared]
CATS_DOGS, MATERIALS = SHARED / "data" / "cats-dogs", SHARED / "data" / "materials"
DRAWS = 1000


def ready(folder: Path, rows: list[tuple[Path, str, str]], kind: str) -> Project:
    """A project whose photos are these (file, label, split), evaluated with features of MobileNet."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "photos.csv").open("w", newline="") as table:
        csv.writer(table).writerows([("file", "label", "split"), *rows])
    project = new_project(folder / "project")
    project.set(
        {
            "data.root": str(folder / "photos.csv"),
            "data.label_conflicts": "quarantine",
            **MOBILENET,
            "head.kind": kind,
        }
    )
    project.commit()
    project.run("dvc", "repro", "evaluate")
    return project


def dealt(files: list[Path], seed: int, shares: tuple[float, float]) -> list[tuple[Path, str, str]]:
    """Files by the names of their folders, these shares of them in train and in validation, the others in test."""
    mixed = random.Random(seed).sample(files, len(files))
    ends = [round(share * len(mixed)) for share in (shares[0], sum(shares))]
    splits = ["train"] * ends[0] + ["validation"] * (ends[1] - ends[0]) + ["test"] * (len(mixed) - ends[1])
    return [(file, file.parent.name, split) for file, split in zip(mixed, splits, strict=True)]


def of_strangers(project: Project, strangers: Path) -> tuple[float, float, float]:
    """The shares of strangers and of the project's own test photos that are refused, and the area under the curve."""
    with (project.folder / "metrics/predictions.csv").open(newline="") as file:
        own = [row["file"] for row in csv.DictReader(file) if row["split"] == "test"]
    printed = project.run(
        *("python", "-m", "onepass", "predict", "data/model.keras", *own),
        *("--strangers", str(strangers), "--output", "found.csv"),
    )
    shares = [float(share) / 100 for share in re.findall(r"refused \(([\d.]+)%", printed)]
    area = re.search(r"area under the ROC curve of ([\d.]+)", printed)
    assert area
    return shares[0], shares[1], float(area[1])


def linked(folder: Path, files: list[Path]) -> Path:
    folder.mkdir(parents=True)
    for file in files:
        (folder / f"{file.parent.name}-{file.name}").symlink_to(file)
    return folder


@pytest.fixture(scope="module")
def cats_dogs(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """1,600 cats and dogs train, 400 choose the limits, and 800 have a say in nothing."""
    files = sorted((CATS_DOGS / "train").rglob("*.jpg"))
    rows = dealt(files, 0, (0.8, 0.2))
    rows += [(file, file.parent.name, "test") for file in sorted((CATS_DOGS / "validation").rglob("*.jpg"))]
    return ready(tmp_path_factory.mktemp("cats-dogs"), rows, "logistic")


def test_strangers_are_refused_and_own_photos_are_not(cats_dogs: Project, tmp_path: Path) -> None:
    files = random.Random(0).sample(sorted(MATERIALS.rglob("*.jpg")), 200)
    strangers, own, area = of_strangers(cats_dogs, linked(tmp_path / "strangers", files))
    print(f"strangers refused {strangers:.1%}, own test photos {own:.1%}, area {area:.4f}")
    assert strangers >= 0.97
    assert area >= 0.99
    assert own <= 0.05
    judged = json.loads((cats_dogs.folder / "metrics/abstentions.json").read_text())
    assert judged["refused"] / judged["images"] == pytest.approx(own, abs=0.003)  # as predict says it
    assert not judged["chose_the_limits"]
    assert judged["in_set"] / judged["images"] > 0.93


@pytest.mark.parametrize("stranger", ["glass", "metal", "plastic"])
def test_near_strangers_are_told_apart_more_often_than_by_chance(stranger: str, tmp_path: Path) -> None:
    """Of a material that a model of two others has never seen; most of them are not refused, which the docs say."""
    own = [file for file in sorted(MATERIALS.rglob("*.jpg")) if file.parent.name != stranger]
    project = ready(tmp_path, dealt(own, 0, (0.5, 0.25)), "logistic")
    strangers, refused, area = of_strangers(project, MATERIALS / stranger)
    print(f"{stranger}: strangers refused {strangers:.1%}, own test photos {refused:.1%}, area {area:.4f}")
    assert area > 0.65


def answers(project: Project) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Of the test photos: labels, probabilities, and the temperature of the head."""
    with (project.folder / "metrics/predictions.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    classes = sorted({row["label"] for row in rows})
    chances = np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])
    temperature = json.loads((project.folder / "data/head/head.json").read_text())["temperature"]
    return np.array([classes.index(row["label"]) for row in rows]), chances, temperature


def test_probabilities_are_nearer_to_how_often_they_are_right_than_without_the_temperature(tmp_path: Path) -> None:
    """Of a head that 250 photos have trained, judged by 500 others."""
    project = ready(tmp_path, dealt(sorted(MATERIALS.rglob("*.jpg")), 0, (0.3, 0.1)), "lda")
    labels, after, temperature = answers(project)
    before = softmax(np.log(after) * temperature, axis=1)
    gains = []
    for seed in range(DRAWS):
        drawn = np.random.default_rng(seed).integers(0, len(labels), len(labels))
        errors = [calibration_error(labels[drawn], chances[drawn]) for chances in (before, after)]
        gains.append(errors[0] - errors[1])
    low, high = np.quantile(gains, [0.025, 0.975])
    one, other = (calibration_error(labels, chances) for chances in (before, after))
    print(f"temperature {temperature:.2f}, error {one:.4f} to {other:.4f}, gain {low:.4f} to {high:.4f}")
    assert low > 0
