"""The store: parts of rows in a folder, each part named by the leading bits of the keys that it holds.

Rows are sorted, so the bytes of the parts are a function of the set of keys, the fingerprint and the environment: not
of history, batch or order of work.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import Hashes, HashList, UserError, find, in_hex, leading_bits, packed, read_sealed_json
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


def members_of_parts(hashes: Hashes, parts: int) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """The names of the parts, of ``parts``, that hold rows of these hashes, each with the places of its own."""
    numbers = (leading_bits(hashes) * parts >> 32).astype(np.uint16)
    order = np.argsort(numbers, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(hashes) else ():
        yield f"{numbers[members[0]]:05x}.npy", members


def by_part(hashes: Hashes) -> Iterator[tuple[str, slice]]:
    """The names of all parts for these hashes, which are sorted and different, each with the places of its own."""
    count = part_count(len(hashes))
    first = [((number << 32) // count).to_bytes(4) for number in range(count)]  # possible hash of each part
    starts = [*hashes.searchsorted(np.array(first, hashes.dtype)).tolist(), len(hashes)]
    for number, (start, stop) in enumerate(pairwise(starts)):
        if start < stop:
            yield f"{number:05x}.npy", slice(start, stop)


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
    wanted = hashes.packed if isinstance(hashes, HashList) else packed(hashes)
    for name, numbers in members_of_parts(wanted, part_count(store.images)):
        try:
            rows = store.unpack((folder / name).read_bytes(), str(folder / name))
        except FileNotFoundError as error:
            raise UserError(f"{folder / name} is missing.\n{REPAIR}") from error
        except DamagedPartError as error:
            raise UserError(f"A part of the features is damaged. {error}.\n{REPAIR}") from error
        places = find(row_hashes(rows), wanted[numbers])
        if (places < 0).any():
            lacking = in_hex(wanted[numbers][places < 0][0])
            raise UserError(f"{folder / name} has no row for the image {lacking!r}.\n{REPAIR}")
        out[numbers] = rows["features"][places]
    return out
