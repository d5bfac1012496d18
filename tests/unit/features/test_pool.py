"""The pool: sound rows alone come out of it, one run at a time computes, and what is in use is never deleted."""

import hashlib
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from onepass.core import UserError, packed
from onepass.features import Store
from onepass.features.pool import LARGEST, Pool, evict, folder_of, one_at_a_time, open_pools, size_limit
from onepass.features.row_index import RowIndex
from onepass.features.rows import Rows, make_rows
from tests.builders import ROOT

NAMES = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(100))
STORE = Store(len(NAMES), "float32", [3], {"backbone": "ours"}, "")
HERE = {"processor": "abacus", "pillow": "1.0"}
WAITS = "another run is computing these features; waiting for its rows\n"
HOLDER = """
import sys
from pathlib import Path
from onepass.features.pool import one_at_a_time
with one_at_a_time(Path(sys.argv[1]), bytes.fromhex(sys.argv[2])):
    print("holds", flush=True)
    sys.stdin.readline()
"""


def rows_of(names: list[str], store: Store = STORE) -> Rows:
    return make_rows(names, np.zeros((len(names), 3), np.float32), store.key)


def open_pool(machine: Path, names: list[str], store: Store = STORE) -> tuple[Pool, RowIndex]:
    index = RowIndex(packed(names), store.row_type)
    pool, *_ = open_pools(folder_of(machine, store.key), store, index, HERE)
    pool.find()
    return pool, index


def test_the_pool_gives_its_sound_chunks_and_deletes_the_damaged_one(tmp_path: Path) -> None:
    pool, _ = open_pool(tmp_path, NAMES)
    chunks: list[Path] = []  # as they were added
    for start in range(0, 100, 20):
        pool.add(rows_of(NAMES[start : start + 20]))
        chunks += set(pool.folder.iterdir()) - {*chunks}
    for chunk in chunks[1:3]:
        chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    _, index = open_pool(tmp_path, NAMES[:40])
    assert index.missing().tolist() == [False] * 20 + [True] * 20
    assert {*pool.folder.iterdir()} == {chunks[0], *chunks[2:]}  # the other damaged one holds nothing wanted


def test_what_a_killed_writer_left_is_not_read(tmp_path: Path) -> None:
    pool, _ = open_pool(tmp_path, NAMES)
    pool.add(rows_of(NAMES[:20]))
    (chunk,) = pool.folder.iterdir()
    (pool.folder / f".{chunk.name}.half").write_bytes(chunk.read_bytes()[:100])
    _, index = open_pool(tmp_path, NAMES)
    assert index.missing().sum() == 80


def test_the_same_rows_are_one_chunk_and_others_another(tmp_path: Path) -> None:
    pool, _ = open_pool(tmp_path, NAMES)
    for names in (NAMES[:20], NAMES[:20], [NAMES[0], *NAMES[30:49]]):
        pool.add(rows_of(names))
    assert len([*pool.folder.iterdir()]) == 2


class Holder:
    """Another process that computes these features, until it is told to end."""

    def __init__(self, machine: Path, key: bytes) -> None:
        command = [sys.executable, "-c", HOLDER, str(machine), key.hex()]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def says(self) -> str:
        """Its next line."""
        assert self.process.stdout
        return self.process.stdout.readline().decode()

    def is_silent(self) -> bool:
        """Whether it says nothing for a while."""
        assert self.process.stdout
        return select.select([self.process.stdout], [], [], 0.3)[0] == []

    def end(self) -> None:
        """Lets it go on to its end."""
        self.process.communicate(b"\n")


@contextmanager
def holder(machine: Path, key: bytes = STORE.key) -> Iterator[Holder]:
    other = Holder(machine, key)
    try:
        yield other
    finally:
        other.process.kill()
        other.process.communicate()


@pytest.mark.parametrize("end", ["ends", "is killed"])
def test_a_second_run_says_that_it_waits_until_the_first_ends_or_dies(end: str, tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert first.says() == "holds\n"
        with holder(tmp_path) as second:
            assert second.says() == WAITS
            assert second.is_silent()
            if end == "ends":
                first.end()
            else:
                first.process.kill()
            assert second.says() == "holds\n"


def test_the_lock_of_a_dead_run_is_free(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with holder(tmp_path) as first:
        assert first.says() == "holds\n"
    with one_at_a_time(tmp_path, STORE.key):
        pass
    assert capfd.readouterr().out == ""


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError), one_at_a_time(tmp_path, STORE.key):
        raise UserError("no rows")
    with holder(tmp_path) as other:
        assert other.says() == "holds\n"


def test_runs_for_other_features_do_not_wait(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        assert other.says() == "holds\n"
        with one_at_a_time(tmp_path, b"another key".ljust(32)), holder(tmp_path, b"a third key".ljust(32)) as third:
            assert third.says() == "holds\n"


def pools(machine: Path, count: int) -> list[tuple[Store, Path]]:
    """Pools of one chunk of a size each, used one after another, long ago."""
    made = []
    for number in range(count):
        store = STORE._replace(fingerprint={"backbone": number})
        pool, _ = open_pool(machine, NAMES, store)
        pool.add(rows_of(NAMES[:20], store))
        folder = folder_of(machine, store.key)
        os.utime(folder, (1e9 + number, 1e9 + number))
        made.append((store, folder))
    return made


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.npy"))


def kept(machine: Path) -> set[Path]:
    return {*(machine / "pool").iterdir()}


@pytest.mark.parametrize("room", [0, 1, 2, 3, 4])
def test_the_pools_used_longest_ago_are_deleted_until_the_rest_fits(room: int, tmp_path: Path) -> None:
    folders = [folder for _, folder in pools(tmp_path, 4)]
    evict(tmp_path, folders[-1], room * size(folders[0]))
    assert kept(tmp_path) == {*folders[4 - room :]}


def test_a_pool_that_is_used_again_counts_as_the_latest(tmp_path: Path) -> None:
    folders = [folder for _, folder in pools(tmp_path, 3)]
    evict(tmp_path, folders[0], 2 * size(folders[0]))
    assert kept(tmp_path) == {folders[0], folders[2]}


def test_a_pool_in_use_is_never_deleted(tmp_path: Path) -> None:
    (store, used), (_, idle), (_, latest) = pools(tmp_path, 3)
    with holder(tmp_path, store.key) as other:
        assert other.says() == "holds\n"
        evict(tmp_path, latest, size(latest))
        assert kept(tmp_path) == {used, latest}
        other.end()
    evict(tmp_path, latest, size(latest))
    assert kept(tmp_path) == {latest}
    assert not idle.exists()


def test_a_pool_without_room_for_itself_is_deleted_under_its_own_lock(tmp_path: Path) -> None:
    ((store, folder),) = pools(tmp_path, 1)
    with one_at_a_time(tmp_path, store.key):
        evict(tmp_path, folder, 0)
        assert not folder.exists()
    evict(tmp_path, folder, 0)  # nothing is left, and that is no error


def test_the_limit_is_a_whole_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEPASS_POOL_BYTES", raising=False)
    assert size_limit() == LARGEST
    monkeypatch.setenv("ONEPASS_POOL_BYTES", "30000")
    assert size_limit() == 30_000
    monkeypatch.setenv("ONEPASS_POOL_BYTES", "4 GiB")
    with pytest.raises(UserError, match="ONEPASS_POOL_BYTES: '4 GiB' given; allowed: a whole number of bytes"):
        size_limit()
