"""A project whose stages have run in this process, on small photos with names that a page must survive."""

import contextlib
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from stages import evaluate, extract_features, prepare, report, train_head, weights
from tests.builders import Project, new_project

FOLDERS = ("data/prepared", "data/features", "data/head", "metrics/training", "metrics")
PREPARED, FEATURES, HEAD, TRAINING, OUT = map(Path, FOLDERS)
WEIGHTS = Path("data/weights.json")
MODEL = Path("data/model.keras")
SCRIPT = "<script>alert(1)</script>"
LONG = "a class whose name goes on and on " * 4
IMAGE = '"><img src=x>'
SIZES = ((40, 60), (60, 40), (90, 30))  # heights and widths of photos
LABELS = (SCRIPT, "cats", LONG)
FINDING = {"name": "few-images", "evidence": "9 <b>validation</b> images.", "advice": "Raise split.test_fraction."}


def finished_project(folder: Path, labels: Sequence[str] = LABELS) -> Project:
    """60 photos of as many classes as there are labels, without a test split, with a finding and a report."""
    project = new_project(folder / "project")
    write_labelled_photos(folder / "photos", labels)
    project.set(
        {
            "data.root": str(folder / "photos"),
            "backbone.layer": "input",
            "backbone.weights": "data/no-weights.txt",
            "backbone.image_side": 8,
            "split.validation_fraction": 0.4,
            "split.test_fraction": 0,
            "train.epochs": 3,
        }
    )
    run_stages(project)
    with contextlib.chdir(project.folder):
        (OUT / "findings.json").write_text(json.dumps([FINDING]))
        run_report()
    return project


def run_stages(project: Project) -> None:
    """Runs all stages in this process, without DVC."""
    with contextlib.chdir(project.folder):
        prepare.main(PREPARED)
        weights.main(WEIGHTS)
        extract_features.main(WEIGHTS, PREPARED, FEATURES)
        run_from_training()


def run_from_training() -> None:
    """Trains, evaluates and reports in the current directory, as `dvc repro` does when a param of train changes."""
    train_head.main(WEIGHTS, PREPARED / "splits.csv", FEATURES, HEAD, MODEL, TRAINING)
    evaluate.main(PREPARED, FEATURES, HEAD, TRAINING, OUT)
    run_report()


def run_report() -> str:
    """The page that the last stage writes in the current directory."""
    report.main(PREPARED, FEATURES, HEAD, TRAINING, OUT)
    return (OUT / "report.html").read_text()


def write_labelled_photos(folder: Path, labels: Sequence[str]) -> None:
    """Noise that nobody can tell apart, so that there are mistakes, and one file that is no photo.

    Each class has photos of all sizes.
    """
    random = np.random.default_rng(0)
    folder.mkdir()
    names = [f"{IMAGE}{number}.png" for number in range(60)]
    for number, name in enumerate(names):
        height, width = SIZES[number // len(labels) % len(SIZES)]
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"")
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = [(name, labels[number % len(labels)]) for number, name in enumerate(names)]
        csv.writer(file).writerows([("file", "label"), *rows, ("broken.jpg", labels[1])])
