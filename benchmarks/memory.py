"""Peak memory of each stage, and seconds an image, with ten times the images.

    python -m benchmarks.memory [--quick]

Synthetic photos of 64x64; features are 972 pixel values (18x18), about as many as a pooled network gives.
"""

import argparse
import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from benchmarks.measuring import record
from benchmarks.photos import add_synthetic
from benchmarks.project import PIXELS, new_project

STAGES = ("prepare", "extract-features", "train-head", "evaluate", "report")


class Cost(NamedTuple):
    """Of one process."""

    seconds: float
    mebibytes: float  # peak resident memory


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test: its figures mean nothing")
    given = parser.parse_args()
    few, many = (40, 80) if given.quick else (10_000, 100_000)
    costs = {count: costs_of(count) for count in (few, many)}
    for stage in STAGES:
        memory = {f"{count:,} images": costs[count][stage].mebibytes for count in costs}
        ratio = memory[f"{many:,} images"] / memory[f"{few:,} images"]
        record(f"memory-{stage}", f"peak memory of {stage}", "MiB", memory, ratio, "at most 1.2", not given.quick)
    for stage in STAGES[:2]:
        pace = {f"{count:,} images": 1e3 * costs[count][stage].seconds / count for count in costs}
        ratio = pace[f"{many:,} images"] / pace[f"{few:,} images"]
        record(f"pace-{stage}", f"time of {stage}", "ms an image", pace, ratio, "at most 1.2", not given.quick)


def costs_of(count: int) -> dict[str, Cost]:
    """Runs the stages one after the other, as DVC would."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        add_synthetic(folder / "photos", count, (64, 64))
        changes = PIXELS | {"data.root": str(folder / "photos"), "backbone.image_side": 18, "train.epochs": 2}
        project = new_project(folder / "project", changes)
        stages = YAML(typ="safe").load(project / "dvc.yaml")["stages"]
        return {stage: cost(process_of(stages[stage]["cmd"]), project) for stage in STAGES}


def process_of(command: str) -> list[str]:
    """The stage itself, of a command that checks params.yaml first."""
    return shlex.split(command.rsplit(" && ", maxsplit=1)[-1].removeprefix("exec "))


def cost(command: list[str], project: Path) -> Cost:
    """Runs a command to its end."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {process.returncode}")
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
