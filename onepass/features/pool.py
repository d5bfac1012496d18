"""The pool: every row that this machine computed lately, beside the DVC cache.

It is at once the journal that a killed extraction resumes from, the memory that makes going back to an
earlier backbone cheap, and what queue workers share. It is safe to delete: the next run computes again.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from onepass.core import UserError, in_hex, write_atomically
from onepass.features.row_index import RowIndex
from onepass.features.rows import DamagedPartError, Rows, map_rows, pack, row_hashes
from onepass.features.store import Store

LARGEST = 4 << 30  # bytes of all pools together, unless ONEPASS_POOL_BYTES says otherwise


class Pool:
    """The rows of one store's fingerprint on this machine, in chunks of one batch each.

    Chunks with a row that is still missing are verified, and deleted if they are damaged; the others are left alone.
    """

    def __init__(self, machine: Path, store: Store, index: RowIndex) -> None:
        """Finds what is missing among the chunks of earlier runs."""
        self.folder = machine / "pool" / store.key.hex()[:32]
        self._store = store
        self._index = index
        for path in self._chunks():
            self._find(path)

    def add(self, rows: Rows) -> None:
        """Stores a batch; when this returns, not even a power loss takes it back."""
        hashes = row_hashes(rows)
        path = self.folder / f"{in_hex(hashes[0])[:16]}-{len(rows)}.npy"
        write_atomically(path, pack(rows))
        self._index.add(str(path), path, hashes)

    def _chunks(self) -> list[Path]:
        """All chunks; leftovers of a killed writer are deleted."""
        for leftover in self.folder.glob(".*.npy.*"):
            leftover.unlink(missing_ok=True)
        return sorted(self.folder.glob("[!.]*.npy"))

    def _find(self, path: Path) -> None:
        try:
            if self._index.lacks_any(row_hashes(map_rows(path, self._store.row_type))):
                self._index.add(str(path), path, row_hashes(self._store.unpack(path.read_bytes(), str(path))))
        except DamagedPartError:
            path.unlink()


@contextmanager
def one_at_a_time(machine: Path, key: bytes) -> Iterator[None]:
    """One extraction of these features at a time on this machine; the system frees the lock of a dead one."""
    lock = _lock(machine, key.hex()[:32])
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("another run is computing these features; waiting for its rows", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def size_limit() -> int:
    """How many bytes the pools may keep. UserError where the environment says nonsense."""
    given = os.environ.get("ONEPASS_POOL_BYTES", str(LARGEST))
    if not given.isdecimal():
        raise UserError(f"ONEPASS_POOL_BYTES: {given!r} given; allowed: a whole number of bytes.")
    return int(given)


def evict(machine: Path, latest: Path, most: int) -> None:
    """Deletes the pools that were used longest ago until all together have ``most`` bytes; none that is in use."""
    if latest.is_dir():
        os.utime(latest)
    total = 0
    for folder in sorted((machine / "pool").glob("*"), key=lambda folder: folder.stat().st_mtime, reverse=True):
        total += sum(file.stat().st_size for file in folder.glob("[!.]*.npy"))
        if total <= most:
            continue
        if folder == latest:  # its lock is ours already
            shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            with _lock(machine, folder.name).acquire(timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue


def _lock(machine: Path, name: str) -> FileLock:
    path = machine / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)
