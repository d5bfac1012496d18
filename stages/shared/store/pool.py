"""The pool: every row that this machine computed lately, beside the DVC cache.

It is at once the journal that a killed extraction resumes from, the memory that makes going back to an
earlier backbone cheap, and what queue workers share. It is safe to delete: the next run computes again.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from stages.shared.durable import write_whole
from stages.shared.errors import UserError
from stages.shared.store.features import DamagedPartError, Rows, Store, map_rows, pack, row_hashes

LARGEST = 4 << 30  # bytes of all pools together, unless ONEPASS_POOL_BYTES says otherwise


class Pool:
    """The rows of one store's fingerprint on this machine, in chunks of one batch each.

    Chunks with a row that is wanted are verified, and deleted if they are damaged; the others are left alone.
    """

    def __init__(self, machine: Path, store: Store, wanted: Iterable[str]) -> None:
        self.folder = machine / "pool" / store.key.hex()[:32]
        self._store = store
        self._chunk = lru_cache(maxsize=64)(self._read)
        some = set(wanted)
        self._where = {hash_: path for path in self._chunks() for hash_ in self._sound(path, some)}

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._where

    def row(self, hash_: str) -> Rows:
        """The stored row of this image, shape (1,)."""
        return self._chunk(self._where[hash_])[hash_]

    def add(self, rows: Rows) -> None:
        """Stores a batch; when this returns, not even a power loss takes it back."""
        hashes = row_hashes(rows)
        path = self.folder / f"{hashes[0][:16]}-{len(rows)}.npy"
        write_whole(path, pack(rows))
        self._where |= dict.fromkeys(hashes, path)

    def _chunks(self) -> list[Path]:
        """All chunks; leftovers of a killed writer are deleted."""
        for leftover in self.folder.glob(".*.npy.*"):
            leftover.unlink(missing_ok=True)
        return sorted(self.folder.glob("[!.]*.npy"))

    def _sound(self, path: Path, wanted: set[str]) -> list[str]:
        """The hashes of a chunk, if one of them is wanted and all rows are as they were written."""
        try:
            if wanted.isdisjoint(row_hashes(map_rows(path, self._store.row_type))):
                return []
            return row_hashes(self._store.unpack(path.read_bytes(), str(path)))
        except DamagedPartError:
            path.unlink()
            return []

    def _read(self, path: Path) -> dict[str, Rows]:
        rows = map_rows(path, self._store.row_type)
        return {hash_: rows[index : index + 1] for index, hash_ in enumerate(row_hashes(rows))}


@contextmanager
def locked(machine: Path, key: bytes) -> Iterator[None]:
    """One extraction of these features at a time on this machine; the system frees the lock of a dead one."""
    with _lock_file(machine, key.hex()[:32]) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another run is computing these features; waiting for its rows", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def limit() -> int:
    """How many bytes the pools may keep. UserError where the environment says nonsense."""
    given = os.environ.get("ONEPASS_POOL_BYTES", str(LARGEST))
    if not given.isdecimal():
        raise UserError(f"ONEPASS_POOL_BYTES: {given!r} given; allowed: a whole number of bytes.")
    return int(given)


def trim(machine: Path, latest: Path, most: int) -> None:
    """Deletes the pools that were used longest ago until all together have ``most`` bytes; none that is in use."""
    if latest.is_dir():
        os.utime(latest)
    total = 0
    for folder in sorted((machine / "pool").glob("*"), key=lambda folder: folder.stat().st_mtime, reverse=True):
        total += sum(file.stat().st_size for file in folder.glob("[!.]*.npy"))
        if total > most:
            with _lock_file(machine, folder.name) as file, suppress(BlockingIOError):
                if folder != latest:  # that one's lock is ours already
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)


def _lock_file(machine: Path, name: str) -> IO[str]:
    path = machine / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w")
