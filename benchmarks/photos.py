"""Photos to measure with: those of a folder, or synthetic ones; and large ones made of them."""

import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageFilter

LARGE = (4000, 3000)  # width and height of 12 megapixels, as phones take them
SAVING: dict[str, dict[str, Any]] = {
    "jpg": {"quality": 90},
    "png": {"compress_level": 1},
    "webp": {"quality": 90, "method": 0},
}
GRAIN = 4  # standard deviation of the noise, in levels: with it a JPEG has the 3 MB of a phone's


def add_photos(given: Path | None, root: Path, count: int) -> int:
    """Photos in class folders below ``root``: of the folder given, or synthetic ones of 500x375.

    Returns:
        How many there are, which are fewer than asked for where the folder has no more.

    """
    if given is None:
        add_synthetic(root, count, (500, 375))
        return count
    return copy_some(given, root, count)


def add_synthetic(root: Path, count: int, size: tuple[int, int], seed: int = 0) -> None:
    """JPEGs of blurred noise in two class folders, no two alike.

    Args:
        size: width and height in pixels.

    """
    random = np.random.default_rng(seed)
    for name in ("cats", "dogs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = random.integers(0, 256, (size[1], size[0], 3), np.uint8)
        photo = Image.fromarray(noise).filter(ImageFilter.BoxBlur(1))
        photo.save(root / ("cats", "dogs")[number % 2] / f"{seed}-{number:06d}.jpg", quality=90)


def copy_some(photos: Path, root: Path, count: int) -> int:
    """``count`` photos below a folder, evenly chosen, in folders named as the one that each lies in: its class."""
    files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    count = min(count, len(files))
    for number in range(count):
        file = files[number * len(files) // count]
        (root / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, root / file.parent.name / f"{number:06d}{file.suffix}")
    return count


def add_large(small: Path, root: Path, form: str) -> None:
    """Every photo below ``small`` with 12 megapixels: enlarged, with noise as of a sensor, which is seeded.

    In processes of their own: the peak memory of this one would count as that of the processes it starts.

    Args:
        form: jpg, png or webp.

    """
    files = sorted(path for path in small.rglob("*") if path.is_file())
    targets = [root / file.relative_to(small).with_suffix(f".{form}") for file in files]
    for folder in {target.parent for target in targets}:
        folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as processes:
        for _ in processes.map(_enlarge, files, targets, range(len(files))):
            pass


@lru_cache(maxsize=1)
def _grain() -> Image.Image:
    noise = np.random.default_rng(0).normal(128, GRAIN, (LARGE[1] // 4, LARGE[0] // 4, 3))
    return Image.fromarray(np.tile(noise.clip(0, 255).astype(np.uint8), (4, 4, 1)))


def _enlarge(file: Path, target: Path, number: int) -> None:
    with Image.open(file) as photo:
        enlarged = photo.convert("RGB").resize(LARGE, Image.Resampling.BICUBIC)
    grain = ImageChops.offset(_grain(), 37 * number, 61 * number)  # no two photos have the same
    ImageChops.add(enlarged, grain, offset=-128).save(target, **SAVING[target.suffix[1:]])
