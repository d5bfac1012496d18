"""predict and prepare as whole processes, on as many photos as a person has at hand."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from benchmarks.extraction import weights_of
from benchmarks.large_photos import FEW
from benchmarks.measuring import Options, in_turn, once, ratios, record
from benchmarks.photos import add_photos
from benchmarks.project import TWO_SPLITS, mobilenet, new_project, run, run_afresh


def measure_predict(name: str, folder: Path, options: Options) -> None:
    """Photos to probabilities, against the extraction of their features."""
    photos = folder / "photos"
    count = add_photos(options.photos, photos, options.number(2_000))
    changes = mobilenet(photos, weights_of("MobileNet", folder, options))
    changes |= {"backbone.pooling": "avg", "head.kind": "logistic"}
    project = new_project(folder / "project", changes)
    run_afresh(project, "weights", "prepare", "extract-features", "train-head")
    command = (
        "python",
        "-m",
        "onepass",
        "predict",
        "data/model.keras",
        str(photos),
        "--output",
        str(folder / "predicted.csv"),
    )
    ways = {
        "predict": once(run, project, *command),
        "extract-features": once(run_afresh, project, "extract-features"),
    }
    seconds = in_turn(ways, options.rounds)
    about = f"predict against extract-features, whole processes, MobileNet float32, {count} photos"
    values = ratios(seconds["predict"], seconds["extract-features"])
    record(name, about, "s", seconds, values, "at most 1.15", options)


def measure_prepare(name: str, folder: Path, options: Options) -> None:
    """Photos a second and core beyond the start of the process, against Pillow's decoder alone."""
    count = add_photos(options.photos, folder / "photos", options.number(2_800))
    few = add_photos(options.photos, folder / "few", FEW)
    projects = [
        new_project(folder / f"project-{photos}", {**TWO_SPLITS, "data.root": str(folder / photos)})
        for photos in ("photos", "few")
    ]
    ways = {
        "prepare": once(run_afresh, projects[0], "prepare"),
        "its start": once(run_afresh, projects[1], "prepare"),
        "bare decode": once(decode_all, folder / "photos"),
    }
    seconds = in_turn(ways, options.rounds)
    beyond = [whole - start for whole, start in zip(seconds["prepare"], seconds["its start"], strict=True)]
    speed = {
        way: [photos / value / (os.cpu_count() or 1) for value in some]
        for way, photos, some in (("prepare", count - few, beyond), ("bare decode", count, seconds["bare decode"]))
    }
    about = f"prepare beyond its start, {count} photos, against Pillow's decoder on all cores"
    record(
        name, about, "photos/s a core", speed, ratios(speed["prepare"], speed["bare decode"]), "at least 0.9", options
    )


def decode_all(photos: Path) -> None:
    """Every pixel of every photo, on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(decode_one, sorted(photos.glob("*/*"))):
            pass


def decode_one(file: Path) -> None:
    with Image.open(file) as photo:
        photo.load()
