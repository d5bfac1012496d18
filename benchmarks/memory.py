"""Peak memory of each stage, and time an image, with ten times the images.

Synthetic photos of 64x64; features are 972 pixel values (18x18), about as many as a pooled network gives.
"""

import shutil
from pathlib import Path

from benchmarks.measuring import Options, record
from benchmarks.photos import add_synthetic
from benchmarks.project import PIXELS, Cost, new_project, run_afresh

STAGES = ("prepare", "extract-features", "train-head", "evaluate", "report")
TARGET = "at most 1.2"


def measure(_name: str, folder: Path, options: Options) -> None:
    """One run of the stages with few images, one with many; a row a stage for memory, and for time."""
    many = options.number(100_000)
    counts = (max(40, many // 10), many)
    few_costs, many_costs = (costs_of(folder / f"{count}", count) for count in counts)
    names = [f"{count:,} images" for count in counts]
    for place, stage in enumerate(STAGES):
        peaks = [costs[place].mebibytes for costs in (few_costs, many_costs)]
        found = {name: [peak] for name, peak in zip(names, peaks, strict=True)}
        record(f"memory-{stage}", f"peak memory of {stage}", "MiB", found, [peaks[1] / peaks[0]], TARGET, options)
    for place, stage in enumerate(STAGES[:2]):
        paces = [
            1e3 * costs[place].seconds / count for costs, count in zip((few_costs, many_costs), counts, strict=True)
        ]
        found = {name: [pace] for name, pace in zip(names, paces, strict=True)}
        record(f"pace-{stage}", f"time of {stage}", "ms an image", found, [paces[1] / paces[0]], TARGET, options)


def costs_of(folder: Path, count: int) -> list[Cost]:
    """What each stage costs, one after the other, as DVC would run them."""
    add_synthetic(folder / "photos", count, (64, 64))
    changes = {**PIXELS, "data.root": str(folder / "photos"), "backbone.image_side": 18, "train.epochs": 2}
    project = new_project(folder / "project", changes)
    costs = run_afresh(project, "weights", *STAGES)[1:]
    shutil.rmtree(folder)
    return costs
