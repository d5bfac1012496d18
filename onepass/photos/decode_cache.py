"""What an earlier run found out about the bytes of files, so that they are not decoded again."""

import json
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import IO, Any

from onepass.core import UserError
from onepass.photos.photo_table import PhotoTable
from onepass.photos.tables import Image, Quarantined, Row, parse_rows

NOT_OF_BYTES = ("two_labels", "other_bytes")  # reasons that say nothing of the bytes themselves


Open = Callable[[str], AbstractContextManager[IO[bytes]]]  # an earlier output, by its path; empty where there is none


class DecodeCache:
    """Rows by content hash, in the same memory however many there are. Refusals are rare, and kept whole."""

    def __init__(
        self, images: Iterable[Image] = (), refused: Iterable[Quarantined] = (), photos: PhotoTable | None = None
    ) -> None:
        """What is known.

        Args:
            images: their rows; of the same hash, the first counts.
            refused: rows of what cannot be used.
            photos: learn at once which of them need not be read.

        """
        self._photos = photos or PhotoTable([])
        self._photos.learn(images)
        self._asking = Lock()  # threads ask
        self._refused = {row.hash: row for row in refused}

    def row(self, hash_: str, file: str) -> Image | Quarantined | None:
        """The row of a file with these bytes; None where they are new."""
        row = self.rows({hash_}).get(hash_)
        return row and row._replace(file=file)

    def rows(self, hashes: AbstractSet[str]) -> dict[str, Image | Quarantined]:
        """The rows of those that are known, without names."""
        with self._asking:
            found: dict[str, Image | Quarantined] = {row.hash: row for row in self._photos.known(hashes)}
        return found | {hash_: self._refused[hash_] for hash_ in hashes & self._refused.keys()}


def previous_decoding(open_previous: Open, folder: Path, decoding: dict[str, Any], photos: PhotoTable) -> DecodeCache:
    """What the previous run found out by decoding, if it decoded as this one does.

    Args:
        folder: where prepare writes.
        decoding: how this run decodes.
        photos: learn at once which of them need not be read.

    """
    try:
        with open_previous(f"{folder}/decoding.json") as file:
            if json.loads(file.read() or b"null") != decoding:
                return DecodeCache()
        with open_previous(f"{folder}/images.csv") as images, open_previous(f"{folder}/quarantine.csv") as refused:
            rows = (row for row in _rows(refused, Quarantined) if row.hash and row.reason not in NOT_OF_BYTES)
            return DecodeCache(_rows(images, Image), rows, photos)
    except (UserError, ValueError, OverflowError):
        return DecodeCache()  # an unreadable memory is no memory: everything is decoded again


def _rows(content: IO[bytes], kind: type[Row]) -> Iterator[Row]:
    """Rows one by one, also of a table that another version of this project wrote: what decoding found is in each."""
    return parse_rows(content, kind, "the previous table", of_any_version=True)
