"""Whether a file can be used: read, hashed, and decoded once in its life."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_ISREG

import numpy as np
from PIL import Image as Pillow

from onepass.core import bounded_map, progress_bar
from onepass.photos.decode_cache import DecodeCache
from onepass.photos.decoding import SMALLEST, decode
from onepass.photos.photo_table import Photo, PhotoTable
from onepass.photos.refusals import UndecodableError
from onepass.photos.tables import Image, Quarantined

LARGEST_FILE = 1 << 29  # bytes; a file is read whole
CELLS = 32  # a side: colour is looked for in the means of as many areas, which evens out the noise of a JPEG
# Largest difference of R, G and B, of 255, in an image without colour. Grey photos that JPEG stored as RGB have at
# most 1; the palest of 1,200 colour photos, plastic before a white wall, has 16.
PALEST = 8
Keep = Callable[[str, Pillow.Image], None]  # a photo's hash, and its image as ``decode`` gives it for ``SMALLEST``


def inspect_photos(
    photos: PhotoTable, root: Path, known: DecodeCache, max_pixels: int, keep: Keep
) -> list[Quarantined]:
    """Looks into every file: the table learns what can be used; what cannot, and why, comes back.

    Args:
        keep: is given, by several threads, what was decoded.

    """
    quarantined = []
    with (
        ThreadPoolExecutor(os.cpu_count()) as threads,  # Pillow and hashlib release the GIL
        progress_bar(len(photos), "prepare", "images") as bar,
    ):
        inspected = bounded_map(threads, lambda photo: inspect_file(root, photo, known, max_pixels, keep), photos)
        for number, row in enumerate(inspected):
            bar.update()
            if isinstance(row, Quarantined):
                quarantined.append(row)
            else:
                photos.set_content(number, row)
    return quarantined


def inspect_file(
    root: Path, photo: Photo, known: DecodeCache, max_pixels: int, keep: Keep = lambda _hash, _image: None
) -> Image | Quarantined:
    """Hashes a file and decodes it, unless the same bytes were decoded before."""
    hash_ = ""
    try:
        if photo.refused:
            raise UndecodableError(photo.refused, "the README says where photos are expected")
        content = read_file(root / photo.file)
        hash_ = hashlib.sha256(content).hexdigest()
        if row := known.row(hash_, photo.file):
            return row
        found = decode(content, max_pixels, SMALLEST)
    except UndecodableError as refusal:
        return Quarantined(hash_, photo.file, refusal.reason, refusal.detail)
    keep(hash_, found.image)
    return Image(hash_, photo.file, found.width, found.height, int(is_grey(found.image)))


def is_grey(image: Pillow.Image) -> bool:
    """Whether an RGB image has no colour in it that a person would see."""
    means = np.asarray(image.resize((CELLS, CELLS), Pillow.Resampling.BOX, reducing_gap=1.0))
    return bool(np.ptp(means, axis=2).max() <= PALEST)


def read_file(path: Path) -> bytes:
    """The bytes of a file. UndecodableError: unreadable or too_large."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise UndecodableError("unreadable", "not a regular file")
        if status.st_size > LARGEST_FILE:
            raise UndecodableError("too_large", f"{status.st_size:,} bytes; allowed: {LARGEST_FILE:,}")
        return path.read_bytes()
    except OSError as error:
        raise UndecodableError("unreadable", error.strerror or type(error).__name__) from error
