"""A photo in a tar shard, as img2dataset and others write them: ``photos-000.tar::name``.

A shard's list of members is read once; a photo is then a piece of it, without a search.
"""

import tarfile
from functools import cache, lru_cache
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import IO, NamedTuple

from onepass.core import AddressError, first_line, is_address, open_address, read_range, trying_again
from onepass.photos.reading import local_file
from onepass.photos.reading.local_file import too_large
from onepass.photos.refusals import UndecodableError

MARK = ".tar::"
KNOWN_SHARDS = 16  # whose lists are in memory: photos are read in the order of their names
MOST_MEMBERS = 1_000_000  # of a shard; usual are 10,000


class Piece(NamedTuple):
    """Where the bytes of a member are in its shard."""

    start: int
    size: int


class Listing(NamedTuple):
    """What is in a shard."""

    pieces: dict[str, Piece]  # of each member that is a file, by name
    damage: str  # where the list ended too early; empty where it did not


def shard_and_member(file: str) -> tuple[str, str]:
    """The shard and the name in it; the file itself and nothing where it is in no shard."""
    shard, mark, member = file.partition(MARK)
    return (f"{shard}.tar", member) if mark else (file, "")


def read_member(shard: str, member: str) -> bytes:
    """The bytes of a member. UndecodableError: unreadable, too_large or unreachable.

    Args:
        shard: path or address.

    """
    with _one_at_a_time(shard):  # many threads ask for the first member of a shard at once
        listing = _listing(shard, _state(shard))
    if isinstance(listing, UndecodableError):
        raise listing
    piece = listing.pieces.get(member)
    if piece is None:
        found = f"{len(listing.pieces):,} members{listing.damage and ' before ' + listing.damage}"
        raise UndecodableError("unreadable", f"no such file in {Path(shard).name}, which has {found}")
    if piece.size > local_file.LARGEST_FILE:
        raise too_large(piece.size)
    if is_address(shard):
        try:
            return trying_again(shard, lambda: read_range(shard, piece.start, piece.start + piece.size))
        except AddressError as error:
            raise UndecodableError(error.reason, error.detail) from error
    return _read_piece(shard, piece)


def _read_piece(shard: str, piece: Piece) -> bytes:
    try:
        with Path(shard).open("rb") as file:
            file.seek(piece.start)
            return file.read(piece.size)
    except OSError as error:
        raise UndecodableError("unreadable", error.strerror or type(error).__name__) from error


def _state(shard: str) -> tuple[int, int]:
    """What changes when a shard of this machine is written anew."""
    if is_address(shard):
        return 0, 0
    try:
        status = Path(shard).stat()
    except OSError as error:
        raise UndecodableError("unreadable", error.strerror or type(error).__name__) from error
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=KNOWN_SHARDS)
def _listing(shard: str, _state: tuple[int, int]) -> Listing | UndecodableError:
    """Of each member that is a file; or why there is none, which is found out once, too."""
    try:
        if is_address(shard):
            return trying_again(shard, lambda: _listed_behind(shard))
        if not S_ISREG(Path(shard).stat().st_mode):
            return UndecodableError("unreadable", f"{Path(shard).name} is not a regular file")
        with Path(shard).open("rb") as file:
            return _listed(file)
    except AddressError as error:
        return UndecodableError(error.reason, error.detail)
    except OSError as error:
        return UndecodableError("unreadable", error.strerror or type(error).__name__)


def _listed_behind(shard: str) -> Listing:
    with open_address(shard) as file:
        found = _listed(file)
    if found.damage:
        raise ConnectionError(f"{Path(shard).name} has {found.damage}")
    return found


def _listed(file: IO[bytes]) -> Listing:
    """Up to the end of the archive, or to the first damage."""
    found: dict[str, Piece] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if member.isreg() and not member.issparse():
                    found[member.name] = Piece(member.offset_data, member.size)
                if len(found) > MOST_MEMBERS:
                    return Listing(found, f"more than {MOST_MEMBERS:,} members")
                archive.members = []  # type: ignore[attr-defined]  # else it keeps an object for each
            # It takes what is no header for the end of the archive, which is a block of zeros.
            file.seek(archive.offset)
            ended = not any(file.read(tarfile.BLOCKSIZE))
            return Listing(found, "" if ended else f"damage at byte {archive.offset:,}")
    except (tarfile.TarError, EOFError, ValueError) as error:
        return Listing(found, f"damage ({first_line(error)})")


@cache
def _one_at_a_time(_shard: str) -> Lock:
    return Lock()
