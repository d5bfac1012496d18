"""The feature store: a folder of ``.npy`` parts, keyed by the content hash of the image.

Each row of a part carries its image's hash, a checksum and its features, so a part explains and checks
itself and there is no index that could disagree with it:

    np.load("data/features/0002a.npy")["features"]   # (rows, *shape)

A hash belongs to the part that its leading bits name, and rows are sorted, so the bytes of the folder are a
function of the set of images and the fingerprint: not of history, batch or order of work.
"""

import hashlib
import io
import json
import mmap
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.shared.errors import UserError
from stages.shared.hashes import SIZE, Hashes, in_hex

Rows = NDArray[np.void]  # fields: hash (32 bytes), checksum (uint64), features

FINGERPRINT_FILE = "fingerprint.json"
MOST_PARTS = 8192  # DVC pays for each file on each command
REPAIR = "Run `python -m tools.repair`, which deletes damaged copies, and then `dvc repro`."


class DamagedPartError(Exception):
    """A part that does not hold what was written; the message names it and says what is wrong."""


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


def make_rows(hashes: Sequence[str], features: NDArray[Any], key: bytes) -> Rows:
    """Rows ready to be stored.

    Args:
        hashes: content hashes, 64 hex digits each.
        features: (len(hashes), *shape), float32 or uint8.
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


def map_rows(path: Path, expected: np.dtype[np.void]) -> Rows:
    """The rows of a part as they lie on the disk, not verified. DamagedPartError: it holds no whole rows."""
    try:
        with path.open("rb") as file:  # np.memmap would look up every folder of the path, which adds up
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
    return np.ascontiguousarray(rows["hash"]).view(f"S{SIZE}")[:, 0]


class Store(NamedTuple):
    """What ``fingerprint.json`` says of the parts beside it."""

    images: int  # rows in all parts together
    dtype: str  # of the features
    shape: list[int]  # of the features of one image
    fingerprint: dict[str, Any]  # everything that decides the features of an image
    weights_file: str  # sha256 of the file that the weights came from

    @property
    def key(self) -> bytes:
        """32 bytes that stand for the fingerprint."""
        return hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).digest()

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
        return Store(**json.loads((folder / FINGERPRINT_FILE).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{folder / FINGERPRINT_FILE} cannot be read ({error}).\n{REPAIR}") from error


def read_features(folder: Path, store: Store, hashes: Sequence[str]) -> NDArray[Any]:
    """The features of these images, in this order: (len(hashes), *shape), in the dtype of the store.

    Raises:
        UserError: a part is missing or damaged; the message names it and says how to mend it.

    """
    out = np.empty((len(hashes), *store.shape), store.dtype)
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


def row_type(dtype: Any, shape: tuple[int, ...]) -> np.dtype[np.void]:
    """The numpy type of a row."""
    base = np.dtype(dtype).newbyteorder("<")
    return np.dtype([("hash", "u1", (32,)), ("checksum", "<u8"), ("features", base, shape)])


def _checksums(rows: Rows, key: bytes) -> NDArray[np.uint64]:
    """blake2b, 8 bytes, over hash and features; unlike a CRC it can be keyed."""
    sums = np.empty(len(rows), np.uint64)
    for index, row in enumerate(rows):
        digest = hashlib.blake2b(row["hash"].tobytes(), digest_size=8, key=key)
        digest.update(row["features"])
        sums[index] = int.from_bytes(digest.digest(), "little")
    return sums
