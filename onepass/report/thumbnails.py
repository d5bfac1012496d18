"""Small pictures of photos as data URIs, so that a page needs nothing beside itself."""

import base64
import hashlib
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from onepass.photos import UNLIMITED, UndecodableError, decode, readings

QUALITY = 75  # of WebP, 0..100


class Thumbnail(NamedTuple):
    """A small picture, or why there is none."""

    uri: str = ""
    width: int = 0  # pixels
    height: int = 0
    missing: str = ""


def thumbnails(root: Path, wanted: Iterable[tuple[str, str]], side: int) -> dict[str, Thumbnail]:
    """Small pictures by content hash.

    Args:
        root: the folder to which file names are relative.
        wanted: content hash and file name of each photo.
        side: pixels of the longer side.

    """
    files = dict(wanted)
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow releases the GIL
        made = threads.map(lambda hash_: thumbnail(root, files[hash_], hash_, side), files)
        return dict(zip(files, made, strict=True))


def thumbnail(root: Path, file: str, hash_: str, side: int) -> Thumbnail:
    """A picture of exactly the photo that prepare saw: the bytes must have the hash."""
    try:
        sound = (content for content in readings(root, file) if hashlib.sha256(content).hexdigest() == hash_)
        if (content := next(sound, None)) is None:
            return Thumbnail(missing="the file has changed since")
        image = decode(content, UNLIMITED).image  # prepare has decoded these very bytes below its limit
    except UndecodableError as error:
        return Thumbnail(missing=error.detail)
    image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=QUALITY)
    encoded = base64.b64encode(stream.getvalue()).decode()
    return Thumbnail(f"data:image/webp;base64,{encoded}", image.width, image.height)
