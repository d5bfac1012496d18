"""The pool: every row that this machine computed lately, beside the DVC cache; a folder for each fingerprint, and in it
one for each environment that computed, with the environment beside the rows.

It is at once the journal that a killed extraction resumes from, the memory that makes going back to an
earlier backbone cheap, and what queue workers share. It is safe to delete: the next run computes again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from onepass.core import UserError, write_atomically, write_sealed_json
from onepass.features.row_index import RowIndex
from onepass.features.rows import DamagedPartError, Rows, map_rows, pack, row_hashes
from onepass.features.store import FINGERPRINT_FILE, Store, open_store
from onepass.features.team_pool import TeamPool
from onepass.features.versions import VERSIONS_FILE, Environment, Record, parse_record

LARGEST = 4 << 30  # bytes of all pools together, unless ONEPASS_POOL_BYTES says otherwise


class Pool:
    """The rows of one store's fingerprint that one environment computed on this machine, in chunks of a batch each."""

    def __init__(self, folder: Path, store: Store, index: RowIndex, team: TeamPool | None = None) -> None:
        """Looks at nothing yet. ``team``: is sent what is added."""
        self.folder = folder
        self._team = team
        self._store = store
        self._index = index

    @property
    def record(self) -> Record:
        """The environment that computed its rows."""
        path = self.folder / VERSIONS_FILE
        return parse_record(path.read_bytes() if path.is_file() else None)

    def begin(self, record: Record) -> None:
        """Makes it ready for rows of this environment, and says beside its folder what they are."""
        record.write(self.folder / VERSIONS_FILE)
        write_sealed_json(self.folder.parent / FINGERPRINT_FILE, self._store._replace(images=0)._asdict())
        if self._team:
            self._team.send(self.folder / VERSIONS_FILE)

    def find(self) -> None:
        """Finds what is missing among the chunks of earlier runs.

        Chunks with a row that is still missing are verified, and deleted if they are damaged; the others are left
        alone.
        """
        if self._index.missing().any():  # else nothing of them need be read
            for path in sorted(self.folder.glob("[!.]*.npy")):
                self._find(path)

    def find_sent(self) -> None:
        """The same, after other processes have added rows."""
        if self._team:
            self._team.fetch()
        self.find()

    def add(self, rows: Rows, durable: bool = True) -> None:
        """Stores a batch; when this returns, not even a power loss takes it back, unless it need not be durable."""
        hashes = row_hashes(rows)
        # The same rows have the same name, whoever computes them, and others never have it.
        path = self.folder / f"{hashlib.sha256(hashes.tobytes()).hexdigest()[:16]}-{len(rows)}.npy"
        write_atomically(path, pack(rows), durable)
        if self._team:
            self._team.send(path)
        self._index.add(str(path), path, hashes)

    def _find(self, path: Path) -> None:
        try:
            if self._index.lacks_any(row_hashes(map_rows(path, self._store.row_type))):
                self._index.add(str(path), path, row_hashes(self._store.unpack(path.read_bytes(), str(path))))
        except DamagedPartError:
            path.unlink()


def folder_of(machine: Path, key: bytes) -> Path:
    """Of all pools of a fingerprint, whose key this is."""
    return machine / "pool" / key.hex()[:32]


def open_pools(
    folder: Path, store: Store, index: RowIndex, here: Environment, team: TeamPool | None = None
) -> list[Pool]:
    """The pools of a fingerprint: first that of this environment, which may be empty, then those of others."""
    own = name_of(here)
    others = sorted(path for path in folder.glob("*") if path.is_dir() and path.name != own)
    return [Pool(path, store, index, team) for path in (folder / own, *others)]


def name_of(environment: Environment) -> str:
    """Of the pool of an environment, in the folder of a fingerprint."""
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()[:16]


def described_pools(machine: Path) -> Iterator[tuple[Path, Store]]:
    """The folders of all pools of this machine that say what their rows are, each with what it says."""
    for path in sorted((machine / "pool").glob(f"*/{FINGERPRINT_FILE}")):
        with suppress(UserError):
            yield path.parent, open_store(path.parent)


@contextmanager
def one_at_a_time(machine: Path, key: bytes, shard: str = "") -> Iterator[None]:
    """One extraction of these features, or of this share of them, at a time on this machine; the system frees the lock
    of a dead one.
    """
    lock = _lock(machine, f"{key.hex()[:32]}{shard}")
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
    """Deletes the pools that were used longest ago until all together have ``most`` bytes; none that is in use.

    Args:
        latest: the folder of the fingerprint that is in use by the caller, who holds its lock.

    """
    if latest.is_dir():
        os.utime(latest)
    total = 0
    for folder in sorted((machine / "pool").glob("*"), key=lambda folder: folder.stat().st_mtime, reverse=True):
        total += sum(file.stat().st_size for file in folder.rglob("[!.]*.npy"))
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
