"""Whether a file can be used: read, hashed, and decoded once in its life."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any

import numpy as np
from PIL import Image as Pillow

from onepass.core import batched, bounded_map, cores, progress_bar
from onepass.photos.decode_cache import DecodeCache
from onepass.photos.decoding import SMALLEST, decode, decoding_limits, decoding_recipe
from onepass.photos.photo_table import Photo, PhotoTable
from onepass.photos.reading import is_remote, readings, threads_for
from onepass.photos.refusals import UndecodableError
from onepass.photos.tables import Image, Quarantined

TOGETHER = 512  # photos that are looked up at once
CELLS = 32  # a side: colour is looked for in the means of as many areas, which evens out the noise of a JPEG
# Largest difference of R, G and B, of 255, in an image without colour. Grey photos that JPEG stored as RGB have at
# most 1; the palest of 1,200 colour photos, plastic before a white wall, has 16.
PALEST = 8
# Many photos may be fetched at once, but decoded no more than there are cores: each takes the memory of its pixels.
DECODERS = Semaphore(cores())
Keep = Callable[[str, Pillow.Image], None]  # a photo's hash, and its image as ``decode`` gives it for ``SMALLEST``


def inspection_recipe(max_pixels: int) -> dict[str, Any]:
    """Everything that decides what ``inspect_photos`` finds in the bytes of a file."""
    return decoding_recipe(SMALLEST) | decoding_limits(max_pixels)


def inspect_photos(
    photos: PhotoTable, root: Path, known: DecodeCache, max_pixels: int, keep: Keep
) -> list[Quarantined]:
    """Looks into every file: the table learns what can be used; what cannot, and why, comes back.

    Args:
        keep: is given, by several threads, what was decoded.

    """
    quarantined: list[Quarantined] = []
    with (
        ThreadPoolExecutor(threads_for(photos.has_remote)) as threads,  # Pillow and hashlib release the GIL
        progress_bar(len(photos), "prepare", "images") as bar,
    ):

        def unknown() -> Iterator[tuple[int, Photo]]:
            bar.update(photos.file_count)
            for some in batched(photos.unseen(), TOGETHER):
                rows = list(known_unread([photo for _, photo in some], known))
                found = [(number, row) for (number, _), row in zip(some, rows, strict=True) if row]
                _note(photos, found, quarantined)
                bar.update(len(found))
                yield from (numbered for numbered, row in zip(some, rows, strict=True) if not row)

        def inspect(numbered: tuple[int, Photo]) -> tuple[int, Image | Quarantined]:
            return numbered[0], inspect_file(root, numbered[1], known, max_pixels, keep)

        for number, row in bounded_map(threads, inspect, unknown()):
            bar.update()
            _note(photos, [(number, row)], quarantined)
    return quarantined


def _note(photos: PhotoTable, found: Sequence[tuple[int, Image | Quarantined]], quarantined: list[Quarantined]) -> None:
    photos.set_content(*((number, row) for number, row in found if isinstance(row, Image)))
    quarantined += [row for _, row in found if isinstance(row, Quarantined)]


def known_unread(photos: list[Photo], known: DecodeCache) -> Iterator[Image | Quarantined | None]:
    """What can be said of each photo without a look at it; None where that is nothing.

    Where the CSV gives the hash of what is elsewhere, and it was decoded before, not even a byte is fetched.
    """
    asked = [photo.hash if is_remote(photo.file) else "" for photo in photos]  # what is here is read, whatever is said
    rows = known.rows(set(filter(None, asked)))
    for photo, hash_ in zip(photos, asked, strict=True):
        if photo.refused:
            yield Quarantined("", photo.file, photo.refused, "the README says where photos are expected")
        elif row := rows.get(hash_):
            yield row._replace(file=photo.file)
        else:
            yield None


def inspect_file(
    root: Path, photo: Photo, known: DecodeCache, max_pixels: int, keep: Keep = lambda _hash, _image: None
) -> Image | Quarantined:
    """Hashes a file and decodes it, unless the same bytes were decoded before."""
    found = Quarantined("", photo.file, "unreadable", "no bytes")
    try:
        for content in readings(root, photo.file):  # more than one where a transfer may have damaged the last one
            row = _inspected(content, photo, known, max_pixels, keep)
            if isinstance(row, Image):
                return row
            found = row
    except UndecodableError as refusal:
        return Quarantined("", photo.file, refusal.reason, refusal.detail)
    return found


def _inspected(content: bytes, photo: Photo, known: DecodeCache, max_pixels: int, keep: Keep) -> Image | Quarantined:
    hash_ = hashlib.sha256(content).hexdigest()
    if photo.hash and hash_ != photo.hash:
        return Quarantined(hash_, photo.file, "other_bytes", f"the CSV gives the hash {photo.hash}")
    if row := known.row(hash_, photo.file):
        return row
    try:
        with DECODERS:
            found = decode(content, max_pixels, SMALLEST)
            keep(hash_, found.image)
            return Image(hash_, photo.file, found.width, found.height, int(is_grey(found.image)))
    except UndecodableError as refusal:
        return Quarantined(hash_, photo.file, refusal.reason, refusal.detail)


def is_grey(image: Pillow.Image) -> bool:
    """Whether an RGB image has no colour in it that a person would see."""
    means = np.asarray(image.resize((CELLS, CELLS), Pillow.Resampling.BOX, reducing_gap=1.0))
    return bool(np.ptp(means, axis=2).max() <= PALEST)
