"""How many bytes `dvc push` sends after ten photos are added, with real DVC and a remote in a folder.

    python -m benchmarks.push_bytes

Features of 8 kB a row are made from pixels (backbone.layer: input), so that 10,000 photos need no network.
The bytes are those of the objects that appear on the remote; the listing is DVC's own list of the parts.
"""

import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.project import PIXELS, dvc, new_project

SIDE = 52  # pixels: 8,112 bytes a row
ADDED = 10
COUNTS = (2_800, 10_000)


class Sent(NamedTuple):
    """What one push brought to the remote, in bytes."""

    parts: int
    listing: int
    other: int


def main() -> None:
    row = SIDE * SIDE * 3
    print("| photos | parts sent | their bytes | in rows | listing | images.csv and the like |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            parts, sent = measure(Path(folder), count)
        print(
            f"| {count:,} + {ADDED} | {parts} | {sent.parts:,} | {sent.parts / row:.1f} | {sent.listing:,} | "
            f"{sent.other:,} |"
        )


def measure(folder: Path, count: int) -> tuple[int, Sent]:
    """Parts and bytes that a push sends after ``ADDED`` photos joined ``count`` that were pushed before."""
    random = np.random.default_rng(0)
    add_photos(folder / "photos", count, random)
    changes = PIXELS | {"data.root": str(folder / "photos"), "backbone.image_side": SIDE}
    project = new_project(folder / "project", changes)
    dvc(project, "remote", "add", "--default", "team", str(folder / "remote"))
    dvc(project, "repro", "--quiet", "extract-features")
    dvc(project, "push", "--quiet")
    before = objects(folder / "remote")
    add_photos(folder / "photos", ADDED, random)
    dvc(project, "repro", "--quiet", "extract-features")
    dvc(project, "push", "--quiet")
    new = objects(folder / "remote") - before
    shutil.rmtree(project)
    parts = [path for path in new if path.open("rb").read(6) == b"\x93NUMPY"]
    listings = [path for path in new if path.suffix == ".dir"]
    other = [path for path in new if path not in parts and path not in listings]
    return len(parts), Sent(*(sum(path.stat().st_size for path in some) for some in (parts, listings, other)))


def add_photos(root: Path, count: int, random: np.random.Generator) -> None:
    """Noise, half of it called cats and half dogs."""
    for number in range(count):
        name = ("cats", "dogs")[number % 2]
        (root / name).mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / name / f"{random.integers(1 << 60):016x}.png")


def objects(remote: Path) -> set[Path]:
    """Every object that a remote holds."""
    return {path for path in remote.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
