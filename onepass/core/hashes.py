"""Content hashes of many images in little memory: 32 bytes each where a set of strings takes 200."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32  # of a sha256
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


class HashIndex:
    """Where a hash first stands in an array, like a dict that never changes: 40 bytes an entry, not 300."""

    def __init__(self, hashes: Hashes) -> None:
        """Keeps a sorted copy; the hashes may repeat and stand in any order."""
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    def place(self, hash_: str) -> int | None:
        """The first place of a hash of 64 hex digits; None where it has none."""
        digest = np.array(bytes.fromhex(hash_), f"S{HASH_BYTES}")
        at = int(self._sorted.searchsorted(digest))
        found = at < len(self._sorted) and self._sorted[at] == digest
        return int(self._order[at]) if found else None


def sha256_of_files(*paths: Path) -> str:
    """sha256 of the bytes of these files one after another, hex; they are not read at once."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()
