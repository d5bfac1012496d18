"""The stages with a million photos that are nowhere: 32x32, made on the fly behind an address of fsspec.

A protocol of its own is made known to fsspec as a package that is installed would be: by a folder on PYTHONPATH. What
is measured is what the stages do with so many rows; features are 192 pixel values.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.measuring import Options, record, timed
from benchmarks.project import PIXELS, TWO_SPLITS, Cost, cost, dvc, new_project, run_afresh, stage_command
from benchmarks.synthetic_photos import LABELS, photo

STAGES = ("prepare", "extract-features", "train-head", "evaluate")
ADDED = 10
PROTOCOL = "synthetic"
CHANGES = {**PIXELS, **TWO_SPLITS, "backbone.image_side": 8, "head.kind": "linear", "train.epochs": 1}


def measure(name: str, folder: Path, options: Options) -> None:
    """Memory of each stage with a tenth of the rows and with all; then ten more, and nothing more."""
    many = options.number(1_000_000)
    counts = (max(40, many // 10), many)
    install_protocol(folder / "installed")
    projects = [project_of(folder / f"{count}", count) for count in counts]
    costs = [[*run_afresh(project, "weights", *STAGES)][1:] for project in projects]
    for place, stage in enumerate(STAGES):
        of_stage = [some[place] for some in costs]
        report(f"{name}-memory-{stage}", f"peak memory of {stage}", counts, of_stage, options)
    for place, stage in enumerate(STAGES):
        found = {f"{count:,} rows": [some[place].seconds] for count, some in zip(counts, costs, strict=True)}
        paces = [some[place].seconds / count for count, some in zip(counts, costs, strict=True)]
        about = f"time of {stage}; the result is the time a row, against that with fewer"
        record(f"{name}-time-{stage}", about, "s", found, [paces[1] / paces[0]], "told", options)
    increment(name, projects[1], many, options)


def report(row: str, about: str, counts: tuple[int, int], costs: list[Cost], options: Options) -> None:
    """Peak memory, and its growth."""
    found = {f"{count:,} rows": [one.mebibytes] for count, one in zip(counts, costs, strict=True)}
    record(row, about, "MiB", found, [costs[1].mebibytes / costs[0].mebibytes], "at most 1.5", options)


def increment(name: str, project: Path, many: int, options: Options) -> None:
    """Ten photos added to those of a project in which DVC has run everything; then `dvc repro` with nothing to do."""
    dvc(project, "commit", "--force", "--quiet", "weights", *STAGES)
    dvc(project, "repro", "--quiet", "evaluate")
    seconds = [timed(dvc, project, "repro", "--quiet", "evaluate") for _ in range(options.rounds)]
    record(
        f"{name}-nothing",
        f"dvc repro with nothing to do, {many:,} rows",
        "s",
        {"no-op": seconds},
        seconds,
        "told",
        options,
    )
    write_table(project.parent / "photos.csv", many + ADDED)
    costs = []
    for stage in STAGES[:2]:
        costs.append(cost(stage_command(project, stage), project))
        dvc(project, "commit", "--force", "--quiet", stage)
    found = {stage: [one.seconds] for stage, one in zip(STAGES, costs, strict=False)}
    about = f"ten photos added to {many:,}: prepare and extract-features, as processes"
    record(f"{name}-ten-added", about, "s", found, [sum(one.seconds for one in costs)], "at most 60", options)


def install_protocol(folder: Path) -> None:
    """Makes the protocol known to all processes that are started from here."""
    about = folder / "synthetic_photos-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: synthetic-photos\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[fsspec.specs]\n{PROTOCOL} = synthetic_protocol:SyntheticPhotos\n")
    (folder / "synthetic_protocol.py").write_text(Path(__file__).with_name("synthetic_photos.py").read_text())
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def project_of(folder: Path, count: int) -> Path:
    """A project whose photos are rows of a table beside it."""
    folder.mkdir()
    write_table(folder / "photos.csv", count)
    return new_project(folder / "project", {**CHANGES, "data.root": str(folder / "photos.csv")})


def write_table(path: Path, count: int) -> None:
    """Addresses with their labels and hashes."""
    with ProcessPoolExecutor() as processes, path.open("w") as table:
        table.write("file,label,hash\n")
        for lines in processes.map(lines_of, *zip(*pieces(count), strict=True)):
            table.write(lines)


def pieces(count: int, size: int = 10_000) -> Iterator[tuple[int, int]]:
    """Where each piece of the table starts and stops."""
    yield from ((start, min(start + size, count)) for start in range(0, count, size))


def lines_of(start: int, stop: int) -> str:
    """Some lines of the table."""
    return "".join(
        f"{PROTOCOL}://photos/{number},{LABELS[number % len(LABELS)]},{hashlib.sha256(photo(number)).hexdigest()}\n"
        for number in range(start, stop)
    )
