"""The format of a row, and of a part, which is an ordinary ``.npy`` file of rows: written, verified, mapped.

Each row carries its key, a checksum and its features, so a part explains and checks itself and there is no index that
could disagree with it. README.md has the table.
"""

import hashlib
import io
import mmap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.core import HASH_BYTES, Hashes, UserError

Rows = NDArray[np.void]  # fields: hash (32 bytes), checksum (uint64), features


class DamagedPartError(Exception):
    """A part that does not hold what was written; the message names it and says what is wrong."""


def row_type(dtype: Any, shape: tuple[int, ...]) -> np.dtype[np.void]:
    """The numpy type of a row."""
    base = np.dtype(dtype).newbyteorder("<")
    return np.dtype([("hash", "u1", (32,)), ("checksum", "<u8"), ("features", base, shape)])


def as_stored(features: NDArray[Any], dtype: Any, files: Sequence[str]) -> NDArray[Any]:
    """Features in the type in which they are stored, rounded to the nearest.

    Args:
        features: (len(files), *shape).
        files: the photos that they are of, for messages.

    Raises:
        UserError: a feature is no finite number, or too large for float16.

    """
    with np.errstate(over="ignore"):
        rounded = features.astype(dtype, copy=False)
    if np.isfinite(rounded).all():
        return rounded
    file, row, stored = next(
        found for found in zip(files, features, rounded, strict=True) if not np.isfinite(found[2]).all()
    )
    value = row[~np.isfinite(stored)].flat[0]
    if np.isfinite(row).all():
        raise UserError(
            f"backbone.storage: {dtype} given, but a feature of {file} is {value:g}; {dtype} holds numbers up to "
            f"{np.finfo(dtype).max:g}. Set backbone.storage: float32."
        )
    raise UserError(
        f"a feature of {file} is {value:g}, and no head can be trained on that. If it is so of every photo, the "
        "weights are damaged, or backbone.preprocess is that of another network; if of this one alone, take it away."
    )


def make_rows(hashes: Sequence[str], features: NDArray[Any], key: bytes) -> Rows:
    """Rows ready to be stored.

    Args:
        hashes: content hashes, 64 hex digits each.
        features: (len(hashes), *shape), float32, float16 or uint8.
        key: of the fingerprint, so that a row of another backbone never passes for ours.

    """
    rows = np.empty(len(hashes), row_type(features.dtype, features.shape[1:]))
    rows["hash"] = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, 32)
    rows["features"] = features
    rows["checksum"] = _checksums(rows, key)
    return rows


def pack(rows: Rows) -> bytes:
    """The bytes of a part: an ordinary ``.npy`` file."""
    return b"".join((_header(len(rows), rows.dtype), rows.data))


def packed_size(count: int, row: np.dtype[np.void]) -> int:
    """How many bytes a part of ``count`` rows has."""
    return len(_header(count, row)) + count * row.itemsize


def unpack(content: bytes, name: str, expected: np.dtype[np.void], key: bytes) -> Rows:
    """The rows of a part, verified.

    Raises:
        DamagedPartError: anything but exactly the rows that were written under this key.

    """
    if not content.startswith(np.lib.format.MAGIC_PREFIX):
        raise DamagedPartError(f"{name}: not a .npy file")
    start = len(_header(1, expected))
    count, rest = divmod(len(content) - start, expected.itemsize)
    if count < 1 or rest:
        raise DamagedPartError(f"{name}: its {len(content):,} bytes are no whole number of rows")
    # Only the very header that ``pack`` writes is accepted, so that nothing of a damaged one is ever parsed.
    if content[:start] != _header(count, expected):
        raise DamagedPartError(f"{name}: its header is not that of {count} rows of {expected}")
    rows: Rows = np.frombuffer(content, expected, offset=start)
    if wrong := int((rows["checksum"] != _checksums(rows, key)).sum()):
        raise DamagedPartError(f"{name}: {wrong} of {len(rows)} rows do not match their checksum")
    return rows


def map_rows(path: str | Path, expected: np.dtype[np.void]) -> Rows:
    """The rows of a part as they lie on the disk, not verified. DamagedPartError: it holds no whole rows."""
    try:
        # np.memmap would look up every folder of the path, which adds up.
        with open(path, "rb") as file:  # noqa: PTH123 - may be a text
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, expected, offset=len(_header(1, expected)))
    except ValueError as error:
        raise DamagedPartError(f"{path}: {error}") from error


@lru_cache(maxsize=64)
def _header(count: int, expected: np.dtype[np.void]) -> bytes:
    """The beginning of an ``.npy`` file of ``count`` rows."""
    stream = io.BytesIO()
    about = {"descr": np.lib.format.dtype_to_descr(expected), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(stream, about)
    return stream.getvalue()


def row_hashes(rows: Rows) -> Hashes:
    """The content hash of each row."""
    return np.ascontiguousarray(rows["hash"]).view(f"S{HASH_BYTES}")[:, 0]


def _checksums(rows: Rows, key: bytes) -> NDArray[np.uint64]:
    """blake2b, 8 bytes, over hash and features; unlike a CRC it can be keyed."""
    sums = np.empty(len(rows), np.uint64)
    for index, row in enumerate(rows):
        digest = hashlib.blake2b(row["hash"].tobytes(), digest_size=8, key=key)
        digest.update(row["features"])
        sums[index] = int.from_bytes(digest.digest(), "little")
    return sums
