"""What `dvc repro` and `try` cost: when nothing changed, when the head changed, when ten photos were added."""

import shutil
import time
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.extraction import weights_of
from benchmarks.measuring import Options, in_turn, once, ratios, record, timed
from benchmarks.photos import add_photos, add_synthetic
from benchmarks.project import PIXELS, commit, dvc, mobilenet, new_project, run, set_params, stage_command

ADDED = 10
NOTHING_CHANGED = "dvc repro, nothing changed"


def nothing(name: str, folder: Path, options: Options) -> None:
    """The no-op, small and large."""
    large = options.number(100_000)
    counts = (max(40, large * 28 // 1000), large)
    ways = {f"{count:,} images": once(dvc, pixel_project(folder, count), "repro", "--quiet") for count in counts}
    seconds = in_turn(ways, options.rounds)
    small, large_ = seconds.values()
    about = f"dvc repro with nothing to do, {counts[1]:,} images against {counts[0]:,}"
    record(name, about, "s", seconds, ratios(large_, small), "at most 2.5", options)


def logistic_on_digits(name: str, folder: Path, options: Options) -> None:
    """The project as it is shipped, but for the kind of its head."""
    project = new_project(folder / "project", {"head.kind": "logistic"})
    dvc(project, "repro", "--quiet", "dvc.yaml", "data/dvc.yaml")
    against_nothing(name, project, "digits", options)


def logistic(name: str, folder: Path, options: Options) -> None:
    """Photos and MobileNet."""
    project, count = photo_project(folder, {"head.kind": "logistic"}, options)
    against_nothing(name, project, f"{count:,} photos", options)


def against_nothing(name: str, project: Path, data: str, options: Options) -> None:
    """A changed head to its metrics, against DVC's no-op."""
    ways = {"changed head": once(change_head, project), NOTHING_CHANGED: once(dvc, project, "repro", "--quiet")}
    seconds = in_turn(ways, options.rounds)
    values = ratios(seconds["changed head"], seconds[NOTHING_CHANGED])
    about = f"a changed logistic head to new metrics, {data}, against DVC's no-op"
    record(name, about, "s", seconds, values, "at most 3", options)


def mlp(name: str, folder: Path, options: Options) -> None:
    """A changed head to its metrics, against a plain import of TensorFlow and the training itself."""
    epochs = 50
    changes: dict[str, str | int] = {"head.kind": "mlp", "train.epochs": epochs, "train.patience": "none"}
    project, count = photo_project(folder, changes, options)
    ways = {"changed head": once(change_head, project), "import and training": once(import_and_train, project)}
    seconds = in_turn(ways, options.rounds)
    values = ratios(seconds["changed head"], seconds["import and training"])
    about = f"a changed mlp head to new metrics, {count:,} photos, {epochs} epochs, against import and training"
    record(name, about, "s", seconds, values, "at most 1.2", options)


def grid_of_heads(name: str, folder: Path, options: Options) -> None:
    """24 heads by one `try`, against one, which is the mean of both kinds."""
    project, count = photo_project(folder, {"head.kind": "mlp"}, options)
    commit(project)
    ways = {
        "one logistic": once(try_heads, project, "logistic", "none", 1),
        "one mlp": once(try_heads, project, "mlp", "none", 1),
        "24 heads": once(try_heads, project, "logistic,mlp", "none,balanced", 6),
    }
    seconds = in_turn(ways, options.rounds)
    one = [(linear + hidden) / 2 for linear, hidden in zip(seconds["one logistic"], seconds["one mlp"], strict=True)]
    about = f"12 logistic and 12 mlp heads by one try, {count:,} photos, against one head"
    record(name, about, "s", seconds, ratios(seconds["24 heads"], one), "at most 5", options)


def ten_added(name: str, folder: Path, options: Options) -> None:
    """Ten photos more, against all of them, with VGG16; one run."""
    count = add_photos(options.photos, folder / "photos", options.number(2_800))
    held_back = hold_back(folder / "photos", folder / "held-back")
    weights = weights_of("VGG16", folder, options)
    changes = mobilenet(folder / "photos", weights) | {"backbone.name": "VGG16", "backbone.layer": "last"}
    project = new_project(folder / "project", changes)
    seconds = {"all": [timed(dvc, project, "repro", "--quiet", "extract-features")]}
    add_back(held_back)
    seconds["ten added"] = [timed(dvc, project, "repro", "--quiet", "extract-features")]
    about = f"dvc repro extract-features, VGG16 float32, {ADDED} photos added to {count - ADDED:,}"
    record(name, about, "s", seconds, ratios(seconds["ten added"], seconds["all"]), "at most 0.08", options)


def hold_back(photos: Path, aside: Path) -> dict[Path, Path]:
    """Moves ``ADDED`` photos away; where each lies now, and where it was."""
    aside.mkdir()
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    some = files[:: len(files) // ADDED][:ADDED]
    return {file.rename(aside / file.name): file for file in some}


def add_back(held_back: dict[Path, Path]) -> None:
    """Puts the photos where they were."""
    for file, place in held_back.items():
        shutil.move(file, place)


def pixel_project(folder: Path, count: int) -> Path:
    """A project with everything run, whose features are a few pixels of synthetic photos."""
    photos = folder / f"photos-{count}"
    add_synthetic(photos, count, (64, 64))
    changes = {**PIXELS, "data.root": str(photos), "backbone.image_side": 18, "train.epochs": 1}
    project = new_project(folder / f"project-{count}", changes)
    dvc(project, "repro", "--quiet")
    return project


def photo_project(folder: Path, changes: dict[str, str | int], options: Options) -> tuple[Path, int]:
    """A project with everything run on photos, with MobileNet averaged; and how many photos."""
    count = add_photos(options.photos, folder / "photos", options.number(2_800))
    below = mobilenet(folder / "photos", weights_of("MobileNet", folder, options)) | {"backbone.pooling": "avg"}
    project = new_project(folder / "project", below | changes)
    dvc(project, "repro", "--quiet")
    return project, count


def unseen_seed() -> int:
    """Of no run before, so that no cache of runs has it."""
    return time.time_ns() // 1_000_000 % 2_000_000_000


def change_head(project: Path) -> None:
    """Another seed of the training, then everything up to the metrics."""
    set_params(project, {"train.seed": unseen_seed()})
    dvc(project, "repro", "--quiet", "evaluate")


def try_heads(project: Path, kinds: str, class_weights: str, seeds: int) -> None:
    """One `try` of a grid."""
    first = unseen_seed()
    changes = {"head.kind": kinds, "train.class_weights": class_weights}
    changes["train.seed"] = ",".join(str(first + number) for number in range(seeds))
    options = [part for key, value in changes.items() for part in ("-S", f"{key}={value}")]
    run(project, "python", "-m", "onepass", "try", f"heads-{first}", *options)


def import_and_train(project: Path) -> None:
    """One process that imports TensorFlow as everybody does, and trains as train-head does."""
    written = YAML(typ="safe").load(project / "dvc.yaml")["stages"]["train-head"]["outs"]
    arguments = stage_command(project, "train-head")[3:]
    aside = [f"../again/{part}" if part in written else part for part in arguments]
    code = "import tensorflow, keras, runpy; runpy.run_module('stages.train_head', run_name='__main__')"
    run(project, "python", "-c", code, *aside)
