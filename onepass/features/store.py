"""The store: parts of rows in a folder, each part named by the leading bits of the keys that it holds.

Rows are sorted, so the bytes of the parts are a function of the set of keys, the fingerprint and the environment: not
of history, batch or order of work.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import Hashes, UserError, in_hex, read_sealed_json
from onepass.features.rows import DamagedPartError, Rows, row_hashes, row_type, unpack

FINGERPRINT_FILE = "fingerprint.json"
MOST_PARTS = 8192  # DVC pays for each file on each command
REPAIR = "Run `python -m onepass repair`, which deletes damaged copies, and then `dvc repro`."


def part_count(images: int) -> int:
    """How many parts hold ``images`` rows: one to two rows a part, so that a new row re-sends little.

    A power of two, so that growing changes it only when the set has doubled.
    """
    parts = 1
    while parts * 2 < images and parts < MOST_PARTS:
        parts *= 2
    return parts


def part_of(hash_: str, parts: int) -> str:
    """The file name of the part, of ``parts``, that holds the row of this hash."""
    return f"{int(hash_[:8], 16) * parts >> 32:05x}.npy"


def by_part(hashes: Hashes) -> Iterator[tuple[str, slice]]:
    """The names of all parts for these hashes, which are sorted and different, each with the places of its own."""
    count = part_count(len(hashes))
    start = 0
    for name, members in groupby(part_of(in_hex(hash_), count) for hash_ in hashes):
        stop = start + sum(1 for _ in members)
        yield name, slice(start, stop)
        start = stop


class Store(NamedTuple):
    """What ``fingerprint.json`` says of the parts beside it."""

    images: int  # rows in all parts together
    dtype: str  # in which features are stored: float32, float16 or uint8
    shape: list[int]  # of the features of one image
    fingerprint: dict[str, Any]  # everything that decides the features of an image
    weights_file: str  # sha256 of the file that the weights came from

    @property
    def key(self) -> bytes:
        """32 bytes that stand for the fingerprint."""
        return hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).digest()

    @property
    def read_as(self) -> str:
        """The dtype in which features are read: nothing computes with float16, it only saves bytes."""
        return "float32" if self.dtype == "float16" else self.dtype

    @property
    def row_type(self) -> np.dtype[np.void]:
        """The numpy type of its rows."""
        return row_type(self.dtype, tuple(self.shape))

    def unpack(self, content: bytes, name: str) -> Rows:
        """``unpack`` for a part of this store."""
        return unpack(content, name, self.row_type, self.key)

    def part_of(self, hash_: str) -> str:
        """The file name of the part that holds this image."""
        return part_of(hash_, part_count(self.images))


def open_store(folder: Path) -> Store:
    """The store in ``folder``. UserError where there is none."""
    try:
        return Store(**read_sealed_json((folder / FINGERPRINT_FILE).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{folder / FINGERPRINT_FILE} cannot be read ({error}).\n{REPAIR}") from error


def read_features(folder: Path, store: Store, hashes: Sequence[str]) -> NDArray[Any]:
    """The features of these images, in this order: (len(hashes), *shape), in the dtype ``store.read_as``.

    Raises:
        UserError: a part is missing or damaged; the message names it and says how to mend it.

    """
    out = np.empty((len(hashes), *store.shape), store.read_as)
    wanted: dict[str, dict[str, int]] = {}
    for index, hash_ in enumerate(hashes):
        wanted.setdefault(store.part_of(hash_), {})[hash_] = index
    for name, positions in sorted(wanted.items()):
        try:
            rows = store.unpack((folder / name).read_bytes(), str(folder / name))
            rows_by_hash = dict(zip(map(in_hex, row_hashes(rows)), rows, strict=True))
            for hash_, index in positions.items():
                out[index] = rows_by_hash[hash_]["features"]
        except FileNotFoundError as error:
            raise UserError(f"{folder / name} is missing.\n{REPAIR}") from error
        except KeyError as error:
            raise UserError(f"{folder / name} has no row for the image {error}.\n{REPAIR}") from error
        except DamagedPartError as error:
            raise UserError(f"A part of the features is damaged. {error}.\n{REPAIR}") from error
    return out
