"""What an earlier run found out about the bytes of files, so that they are not decoded again."""

import json
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from onepass.core import HashIndex, UserError
from onepass.photos.photo_table import CONTENT
from onepass.photos.tables import Image, Quarantined, Row, parse_rows


class DecodeCache:
    """Rows by content hash: 85 bytes an image, where a dict takes 500. Refusals are rare, and kept whole."""

    def __init__(self, images: Iterable[Image] = (), refused: Iterable[Quarantined] = ()) -> None:
        self._content = np.fromiter(((bytes.fromhex(row.hash), *row[2:5]) for row in images), CONTENT)
        self._places = HashIndex(self._content["hash"])
        self._refused = {row.hash: row for row in refused}

    def row(self, hash_: str, file: str) -> Image | Quarantined | None:
        """The row of a file with these bytes; None where they are new."""
        if hash_ in self._refused:
            return self._refused[hash_]._replace(file=file)
        place = self._places.place(hash_)
        if place is None:
            return None
        _, *content = self._content[place].tolist()
        return Image(hash_, file, *content)


def previous_decoding(read: Callable[[str], bytes | None], folder: Path, decoding: dict[str, Any]) -> DecodeCache:
    """What the previous run found out by decoding, if it decoded as this one does.

    Args:
        read: gives the bytes of an earlier output, or None.
        folder: where prepare writes.
        decoding: how this run decodes.

    """
    try:
        if json.loads(read(f"{folder}/decoding.json") or b"null") != decoding:
            return DecodeCache()
        images = _rows(read(f"{folder}/images.csv"), Image)
        refused = _rows(read(f"{folder}/quarantine.csv"), Quarantined)
        return DecodeCache(images, (row for row in refused if row.hash and row.reason != "two_labels"))
    except (UserError, ValueError, OverflowError):
        return DecodeCache()  # an unreadable memory is no memory: everything is decoded again


def _rows(content: bytes | None, kind: type[Row]) -> Iterator[Row]:
    """Rows one by one, also of a table that another version of this project wrote: what decoding found is in each.

    Only the iterator holds ``content``, and lets go of it after the last one.
    """
    return parse_rows(BytesIO(content or b""), kind, "the previous table", of_any_version=True)
