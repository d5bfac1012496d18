"""Content hashes of many images in little memory: 32 bytes each where a set of strings takes 200."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SIZE = 32  # bytes of a sha256
Hashes = NDArray[np.bytes_]  # (images,), S32; they sort as their hex digits do


def packed(hashes: Iterable[str]) -> Hashes:
    """Hashes of 64 hex digits as an array, in the same order."""
    content = bytearray()
    for hash_ in hashes:
        content += bytes.fromhex(hash_)
    return np.frombuffer(content, f"S{SIZE}")


def in_hex(hash_: bytes) -> str:
    """The 64 hex digits of a hash; numpy drops zeros at the end of bytes."""
    return hash_.ljust(SIZE, b"\0").hex()


def find(known: Hashes, hashes: Hashes) -> NDArray[np.intp]:
    """Where each hash stands among known ones, which are sorted: (len(hashes),), -1 where it does not."""
    places = known.searchsorted(hashes)
    return np.where(places < known.searchsorted(hashes, side="right"), places, -1)


class HashIndex:
    """A number for each hash, like a dict that never changes: 40 bytes an entry, not 300."""

    def __init__(self, hashes: Hashes, numbers: NDArray[np.int64]) -> None:
        """Where a hash stands twice, its first number counts."""
        order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[order]
        self._numbers = numbers[order]

    def __contains__(self, hash_: str) -> bool:
        return self.get(hash_) is not None

    def get(self, hash_: str) -> int | None:
        """The number of a hash of 64 hex digits; None where it has none."""
        digest = np.array(bytes.fromhex(hash_), f"S{SIZE}")
        place = int(self._hashes.searchsorted(digest))
        if place == len(self._hashes) or self._hashes[place] != digest:
            return None
        return int(self._numbers[place])
