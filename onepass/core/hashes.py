"""Content hashes of many images in little memory: 32 bytes each where a set of strings takes 200."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32  # of a sha256
SHA256 = re.compile("[0-9a-f]{64}")  # in hex digits
Hashes = NDArray[np.bytes_]  # (images,), S32; they sort as their hex digits do


def packed(hashes: Iterable[str]) -> Hashes:
    """Hashes of 64 hex digits as an array, in the same order."""
    content = bytearray()
    for hash_ in hashes:
        content += bytes.fromhex(hash_)
    return np.frombuffer(content, f"S{HASH_BYTES}")


def in_hex(hash_: bytes) -> str:
    """The 64 hex digits of a hash; numpy drops zeros at the end of bytes."""
    return hash_.ljust(HASH_BYTES, b"\0").hex()


def find(known: Hashes, hashes: Hashes) -> NDArray[np.intp]:
    """Where each hash stands among known ones, which are sorted: (len(hashes),), -1 where it does not."""
    places = known.searchsorted(hashes)
    return np.where(places < known.searchsorted(hashes, side="right"), places, -1)


def leading_bits(hashes: Hashes) -> NDArray[np.uint64]:
    """The number that the first 32 bits of each hash are: (hashes,)."""
    content = np.ascontiguousarray(hashes).view(np.uint8).reshape(len(hashes), HASH_BYTES)
    return np.ascontiguousarray(content[:, :4]).view(">u4")[:, 0].astype(np.uint64)


class HashList(Sequence[str]):
    """A list of hashes of 64 hex digits that keeps 32 bytes of each, and a piece of it none of its own."""

    def __init__(self, hashes: Hashes) -> None:
        """``hashes``: in the order of the list."""
        self.packed = hashes

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> "HashList": ...

    def __getitem__(self, place: int | slice) -> "str | HashList":
        return HashList(self.packed[place]) if isinstance(place, slice) else in_hex(self.packed[place])


def sha256_of_files(*paths: Path) -> str:
    """sha256 of the bytes of these files one after another, hex; they are not read at once."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()
