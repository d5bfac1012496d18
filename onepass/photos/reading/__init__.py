"""The bytes of a photo, wherever it is: a file of this machine, a photo in a tar shard, an address.

How a photo is named says where it is. Bytes that were fetched are not believed at once: a transfer can damage them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from onepass.core import FETCHES, AddressError, UserError, cores, fetch, is_address, unusable_protocol
from onepass.photos.reading.local_file import LARGEST_FILE, read_file
from onepass.photos.reading.tar_shard import read_member, shard_and_member
from onepass.photos.refusals import UndecodableError

__all__ = [
    "LARGEST_FILE",
    "any_remote_in",
    "is_at_hand",
    "is_remote",
    "missing",
    "place_of",
    "read_file",
    "readings",
    "threads_for",
]

# Photos that are fetched at once: one waits for its answer most of the time.
FETCHED_AT_ONCE = 32
PIECE = 1 << 20  # bytes of a table that are looked at together


def is_remote(file: str) -> bool:
    """Whether a photo is fetched from elsewhere."""
    return is_address(file)


def place_of(root: Path, file: str) -> str:
    """How messages name a photo."""
    return file if is_address(file) else str(root / file)


def missing(root: Path, file: str) -> str:
    """Why there can be no such photo; empty where there may be one. Nothing is fetched."""
    shard, member = shard_and_member(file)
    if is_address(shard):
        return unusable_protocol(shard)
    if not os.path.lexists(root / shard):
        return f"{shard} does not exist (looked in {root})"
    return f"{shard} is a shard; name a photo in it: {shard}::NAME" if shard != file and not member else ""


def any_remote_in(table: Path) -> bool:
    """Whether a table that names photos, of whatever format, may name such a one. UserError: there is no table."""
    if not table.is_file():
        raise UserError(f"{table} is missing. `dvc repro` writes it; `dvc pull` fetches it from the team's remote.")
    end = b""
    with table.open("rb") as file:
        while piece := file.read(PIECE):
            if b"://" in end + piece:
                return True
            end = piece[-2:]
    return False


def is_at_hand(root: Path, file: str) -> bool:
    """Whether a photo can be asked for; reads no byte of it."""
    shard, _ = shard_and_member(file)
    return is_address(shard) or (root / shard).is_file()


def readings(root: Path, file: str) -> Iterator[bytes]:
    """The bytes of a photo, and where a transfer may have damaged them, again, until the same came twice.

    Args:
        root: the folder to which names of files are relative.
        file: ``cats/1.jpg``, ``photos-000.tar::1.jpg``, ``s3://bucket/1.jpg`` or ``s3://bucket/photos-000.tar::1.jpg``.

    Raises:
        UndecodableError: unreadable, too_large or unreachable.

    """
    shard, member = shard_and_member(file)
    before = None
    for _ in range(FETCHES if is_address(shard) else 1):
        if member:
            content = read_member(shard if is_address(shard) else str(root / shard), member)
        else:
            content = _fetched(file) if is_address(file) else read_file(root / file)
        if content == before:
            return
        yield content
        before = content


def _fetched(address: str) -> bytes:
    try:
        return fetch(address, LARGEST_FILE)
    except AddressError as error:
        raise UndecodableError(error.reason, error.detail) from error


def threads_for(any_remote: bool) -> int:
    """How many threads read photos at once."""
    return max(FETCHED_AT_ONCE, cores()) if any_remote else cores()
