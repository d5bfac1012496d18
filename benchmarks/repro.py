"""What `dvc repro` costs: when nothing changed, when the head changed, when ten photos were added.

python -m benchmarks.repro [ROW...] [--photos FOLDER] [--quick]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.extraction import save_weights
from benchmarks.measuring import in_turn, medians, once, record
from benchmarks.photos import add_synthetic
from benchmarks.project import PIXELS, dvc, new_project, set_params

ADDED = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    rows = {"repro-nothing": nothing, "repro-head": head, "repro-ten-added": ten_added}
    parser.add_argument("rows", nargs="*", default=list(rows), metavar="ROW")
    parser.add_argument("--photos", type=Path, help="a folder of photos; synthetic ones of 500x375 unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke test: its figures mean nothing")
    given = parser.parse_args()
    for name in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            rows[name](Path(folder), given)


def nothing(folder: Path, given: argparse.Namespace) -> None:
    """The no-op, small and large."""
    counts = (40, 80) if given.quick else (2_800, 100_000)
    projects = {f"{count:,} images": pixel_project(folder, count) for count in counts}
    ways = {name: once(dvc, project, "repro", "--quiet") for name, project in projects.items()}
    seconds = medians(in_turn(ways, 1 if given.quick else given.rounds))
    small, large = seconds.values()
    about = f"dvc repro with nothing to do, {counts[1]:,} images against {counts[0]:,}"
    target = f"at most 3 (and {counts[0]:,} images under 1.5 s)"
    record("repro-nothing", about, "s", seconds, large / small, target, not given.quick)


def head(folder: Path, given: argparse.Namespace) -> None:
    """A changed head param to new metrics, against a plain import of TensorFlow and the training itself."""
    count = 40 if given.quick else 2_800
    epochs = 2 if given.quick else 50
    project = pixel_project(folder, count, epochs)
    ways = {
        "dvc repro": once(change_head, project),
        "import and training": once(import_and_train, project),
    }
    seconds = medians(in_turn(ways, 1 if given.quick else given.rounds))
    ratio = seconds["dvc repro"] / seconds["import and training"]
    about = f"a changed head param to new metrics, {count:,} images, {epochs} epochs"
    record("repro-head", about, "s", seconds, ratio, "at most 1.4", not given.quick)


def ten_added(folder: Path, given: argparse.Namespace) -> None:
    """Ten photos more, against all of them, with VGG16."""
    count = 40 if given.quick else 2_800
    photos = folder / "photos"
    if given.photos is None:
        add_synthetic(photos, count, (500, 375))
    else:
        shutil.copytree(given.photos, photos, copy_function=shutil.copyfile)
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    held_back = {path: path.read_bytes() for path in files[: len(files) : len(files) // ADDED][:ADDED]}
    for path in held_back:
        path.unlink()
    network = "MobileNet" if given.quick else "VGG16"
    weights = folder / "network.weights.h5"
    in_turn({"weights": partial(save_weights, network, weights)}, rounds=0)
    changes: dict[str, str | int] = {"data.root": str(photos)}
    changes |= {"backbone.name": network, "backbone.weights": str(weights)}
    changes |= {"backbone.image_side": 150, "backbone.layer": "last", "backbone.preprocess": "native"}
    project = new_project(folder / "project", changes)
    seconds = {"all": timed(dvc, project, "repro", "--quiet", "extract-features")}
    for path, content in held_back.items():
        path.write_bytes(content)
    seconds["ten added"] = timed(dvc, project, "repro", "--quiet", "extract-features")
    ratio = seconds["ten added"] / seconds["all"]
    about = f"dvc repro extract-features, {network} float32, {ADDED} photos added to {len(files) - ADDED:,}"
    record("repro-ten-added", about, "s", seconds, ratio, "at most 0.08", not given.quick)


def pixel_project(folder: Path, count: int, epochs: int = 1) -> Path:
    """A project with everything run, whose features are a few pixels of synthetic photos."""
    photos = folder / f"photos-{count}"
    add_synthetic(photos, count, (64, 64))
    changes: dict[str, str | int] = {**PIXELS, "data.root": str(photos), "backbone.image_side": 18}
    changes |= {"train.epochs": epochs, "train.patience": "none"}
    project = new_project(folder / f"project-{count}", changes)
    dvc(project, "repro", "--quiet")
    return project


def change_head(project: Path) -> None:
    """Another learning rate each time, then the whole pipeline."""
    set_params(project, {"train.learning_rate": 1e-3 + time.time() % 1000 * 1e-9})
    dvc(project, "repro", "--quiet")


def import_and_train(project: Path) -> None:
    """One process that imports TensorFlow as everybody does, and trains as train-head does."""
    read = "data/weights.json data/prepared/splits.csv data/features"
    written = "../head-again ../model-again.keras ../training-again"
    code = "import tensorflow, keras, runpy; runpy.run_module('stages.train_head', run_name='__main__')"
    subprocess.run(
        [sys.executable, "-c", code, *read.split(), *written.split()], cwd=project, check=True, capture_output=True
    )


def timed(run: Callable[..., None], *arguments: object) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
