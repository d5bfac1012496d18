"""What a team stores and sends: bytes and seconds, with real DVC and a remote in a folder."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.extraction import weights_of
from benchmarks.measuring import Options, in_turn, ratios, record, timed
from benchmarks.photos import add_photos, add_synthetic
from benchmarks.project import PIXELS, dvc, mobilenet, new_project
from benchmarks.repro import ADDED, add_back, hold_back
from onepass.core import read_sealed_json, write_sealed_json
from onepass.features import open_store, read_features
from onepass.photos import Assignment, read_rows

FEATURES = Path("data/features")
VERSIONS = FEATURES / "versions.json"


def ten_added(name: str, folder: Path, options: Options) -> None:
    """Bytes that a push sends after ten photos were added. Rows of 8 kB are pixels, so that no network is needed."""
    side = 52
    count = options.number(10_000)
    add_synthetic(folder / "photos", count, (64, 64))
    held_back = hold_back(folder / "photos", folder / "held-back")
    changes = {**PIXELS, "data.root": str(folder / "photos"), "backbone.image_side": side}
    project, remote = pushed(folder, changes)
    before = objects(remote)
    add_back(held_back)
    dvc(project, "repro", "--quiet", "extract-features")
    dvc(project, "push", "--quiet")
    new = objects(remote) - before
    parts, listings = parts_of(new), {path for path in new if path.suffix == ".dir"}
    found = {
        f"{len(parts)} parts": [size(parts)],
        "DVC's listing of them": [size(listings)],
        "images.csv and the like": [size(new - parts - listings)],
    }
    about = f"a push after {ADDED} photos were added to {count - ADDED:,}; the bytes of parts against those of ten rows"
    record(name, about, "bytes", found, [size(parts) / (ADDED * side * side * 3)], "at most 3", options)


def upgraded(name: str, folder: Path, options: Options) -> None:
    """Rows that are computed, and parts that are sent, for ten more photos under other versions of the libraries.

    The record of versions that lies with the features is edited, as if they had been computed before an upgrade.
    """
    count = add_photos(options.photos, folder / "photos", options.number(2_810))
    held_back = hold_back(folder / "photos", folder / "held-back")
    project, remote = pushed(folder, mobilenet(folder / "photos", weights_of("MobileNet", folder, options)))
    edit_versions(project / VERSIONS)
    dvc(project, "commit", "--force", "--quiet", "extract-features")
    dvc(project, "push", "--quiet")
    before = objects(remote)
    add_back(held_back)
    printed = dvc(project, "repro", "extract-features")
    added, sampled = (
        sum(map(int, re.findall(words, printed)))
        for words in (r"(\d+) computed\n", r"(\d+) of \d+ stored rows, computed anew")
    )
    dvc(project, "push", "--quiet")
    sent = len(parts_of(objects(remote) - before))
    about = f"{ADDED} photos added to {count - ADDED:,} after an upgrade of the libraries"
    record(
        name,
        f"rows computed, {about}",
        "rows",
        {"new": [added], "sample": [sampled]},
        [added + sampled],
        "at most 74",
        options,
    )
    record(f"{name}-parts", f"parts sent, {about}", "parts", {"sent": [sent]}, [sent], f"at most {ADDED}", options)


def edit_versions(path: Path) -> None:
    """Makes the record say that another Pillow decoded the photos."""
    record_ = read_sealed_json(path.read_bytes())
    record_["environments"] = [environment | {"pillow": "12.0.0"} for environment in record_["environments"]]
    write_sealed_json(path, record_)


def storage(name: str, folder: Path, options: Options) -> None:
    """float16 against float32: bytes, a push of all, and reading all."""
    photos = folder / "photos"
    count = add_photos(options.photos, photos, options.number(2_800))
    below = mobilenet(photos, weights_of("MobileNet", folder, options))
    projects: dict[str, Path] = {}
    bytes_: dict[str, list[float]] = {}
    pushes: dict[str, list[float]] = {}
    for kind in ("float32", "float16"):
        project = new_project(folder / kind, below | {"backbone.storage": kind})
        dvc(project, "repro", "--quiet", "extract-features")
        dvc(project, "remote", "add", "--default", "team", str(folder / f"remote-{kind}"))
        pushes[kind] = [timed(dvc, project, "push", "--quiet")]
        bytes_[kind] = [size({*(project / FEATURES).iterdir()})]
        projects[kind] = project
    reads = in_turn({kind: partial(reading, project) for kind, project in projects.items()}, options.rounds)
    about = f"{count:,} photos of unpooled MobileNet with storage: float16 against float32"
    # Half, and the key and checksum that each row has beside.
    for what, unit, found, target in (
        ("bytes", "bytes", bytes_, "at most 0.502"),
        ("push", "s", pushes, "at most 1"),
        ("read", "s", reads, "at most 1"),
    ):
        values = ratios(found["float16"], found["float32"])
        record(f"{name}-{what}", f"{about}: {what}", unit, found, values, target, options)


def reading(project: Path) -> Any:
    """As train-head reads: all features in one array."""
    features = project / FEATURES
    store = open_store(features)
    hashes = [row.hash for row in read_rows(project / "data/prepared/splits.csv", Assignment)]
    return partial(read_features, features, store, hashes)


def pushed(folder: Path, changes: dict[str, Any]) -> tuple[Path, Path]:
    """A project whose features are on a remote in a folder, and that folder."""
    project, remote = new_project(folder / "project", changes), folder / "remote"
    dvc(project, "remote", "add", "--default", "team", str(remote))
    dvc(project, "repro", "--quiet", "extract-features")
    dvc(project, "push", "--quiet")
    return project, remote


def objects(remote: Path) -> set[Path]:
    """Every object that a remote holds."""
    return {path for path in remote.rglob("*") if path.is_file()}


def parts_of(some: set[Path]) -> set[Path]:
    """The parts of features among objects."""
    return {path for path in some if path.open("rb").read(6) == b"\x93NUMPY"}


def size(some: set[Path]) -> int:
    return sum(path.stat().st_size for path in some)
