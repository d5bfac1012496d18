"""A pool behind an address: what one machine computed another one has, and nothing there is believed unchecked."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest

from onepass.core import UserError, packed
from onepass.features import Store
from onepass.features.pool import Pool, folder_of, open_pools
from onepass.features.row_index import RowIndex
from onepass.features.rows import make_rows
from onepass.features.team_pool import POOL_VARIABLE, team_pool
from onepass.features.versions import Record

NAMES = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(40))
STORE = Store(len(NAMES), "float32", [3], {"backbone": "ours"}, "")
HERE = {"processor": "abacus"}


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    memory = fsspec.filesystem("memory")
    monkeypatch.setenv(POOL_VARIABLE, "memory://team/pool/")
    yield "team/pool"
    memory.rm("/", recursive=True)


def machine(folder: Path) -> tuple[Pool, RowIndex]:
    """The pool as a machine of this folder has it, when it begins."""
    index = RowIndex(packed(NAMES), STORE.row_type)
    pools = folder_of(folder, STORE.key)
    team = team_pool(pools)
    assert team is not None
    team.fetch()
    pool, *others = open_pools(pools, STORE, index, HERE, team)
    assert not others
    pool.find()
    return pool, index


def add(pool: Pool, names: list[str]) -> None:
    pool.add(make_rows(names, np.zeros((len(names), 3), np.float32), STORE.key))


@pytest.mark.usefixtures("address")
def test_what_one_machine_computed_another_one_finds(tmp_path: Path) -> None:
    first, _ = machine(tmp_path / "first")
    first.begin(Record(environments=[HERE]))
    add(first, NAMES[:20])
    second, index = machine(tmp_path / "second")
    assert index.missing().sum() == 20
    assert second.record == Record(environments=[HERE])
    add(first, NAMES[20:30])
    second.find_sent()
    assert index.missing().sum() == 10


def test_what_was_damaged_there_is_computed_again(address: str, tmp_path: Path) -> None:
    first, _ = machine(tmp_path / "first")
    add(first, NAMES[:20])
    memory = fsspec.filesystem("memory")
    (name,) = memory.find(address)
    memory.pipe_file(name, memory.cat_file(name)[:-1] + b"?")
    second, index = machine(tmp_path / "second")
    assert index.missing().all()
    add(second, NAMES[:20])
    _, index = machine(tmp_path / "third")
    assert index.missing().sum() == 20


def test_files_of_other_names_are_not_fetched(address: str, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    key = folder_of(tmp_path, STORE.key).name
    for name in ("../x.npy", "0123456789abcdef/run.py", "0123456789abcdef/../../y.npy", "notes.txt"):
        memory.pipe_file(f"{address}/{key}/{name}", b"harm")
    machine(tmp_path / "first")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("/mnt/pool", "no address, such as s3://bucket/pool"),
        ("nosuch://x", "nosuch:// is no protocol that fsspec knows"),
    ],
)
def test_what_is_no_address_is_refused(
    given: str, complaint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(POOL_VARIABLE, given)
    with pytest.raises(UserError, match=f"^ONEPASS_POOL: '{given}' given; {complaint}"):
        team_pool(tmp_path)
