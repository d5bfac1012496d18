"""Photos to measure with: those of a folder, or synthetic ones."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter


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


def link_some(photos: Path, root: Path, count: int) -> None:
    """``count`` photos below a folder, evenly chosen, as links in one class folder of ``root``."""
    files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    (root / "photos").mkdir(parents=True, exist_ok=True)
    for number in range(min(count, len(files))):
        file = files[number * len(files) // min(count, len(files))]
        (root / "photos" / f"{number:06d}{file.suffix}").symlink_to(file.resolve())
