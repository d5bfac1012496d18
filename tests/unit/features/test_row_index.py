"""Rows that are kept are found wherever they lie, and only as they were when they were found."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from onepass.core import Hashes, UserError, packed
from onepass.features import Store
from onepass.features.row_index import RowIndex
from onepass.features.rows import Rows, make_rows, pack, row_hashes

NAMES = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(100))
STORE = Store(len(NAMES), "float32", [3], {"backbone": "ours"}, "")


def keys(names: Iterable[str] = NAMES) -> Hashes:
    return packed(sorted(names))


def rows_of(names: list[str]) -> Rows:
    """Rows whose features follow from their hashes."""
    features = np.array([[int(name[:4], 16), int(name[4:8], 16), 0] for name in names], np.float32)
    return make_rows(names, features, STORE.key)


def write(path: Path, names: list[str]) -> tuple[str, Path, Hashes]:
    """A file of rows, as ``add`` takes it."""
    path.write_bytes(pack(rows_of(names)))
    return path.name, path, row_hashes(rows_of(names))


def test_rows_come_in_the_order_of_the_keys_from_whatever_files_hold_them(tmp_path: Path) -> None:
    found = RowIndex(keys(NAMES[10:90]), STORE.row_type)
    found.add(*write(tmp_path / "a", NAMES[70::-2]))  # some of them not wanted, and in another order
    assert found.missing().sum() == 80 - 31
    assert not found.lacks_any(packed(NAMES[:10] + NAMES[12:70:2]))
    assert found.lacks_any(packed([NAMES[11]]))
    found.add(*write(tmp_path / "b", [*NAMES[71:], *NAMES[1:70:2]]))
    assert not found.missing().any()
    np.testing.assert_array_equal(found.read(slice(0, 80)), rows_of(NAMES[10:90]))
    np.testing.assert_array_equal(found.read(slice(7, 9)), rows_of(NAMES[17:19]))


def test_a_row_stays_where_it_was_found_first(tmp_path: Path) -> None:
    found = RowIndex(keys(), STORE.row_type)
    found.add(*write(tmp_path / "first", NAMES[:50]))
    other = make_rows(NAMES[::-1], np.full((100, 3), -1, np.float32), STORE.key)
    (tmp_path / "second").write_bytes(pack(other))
    found.add("second", tmp_path / "second", row_hashes(other))
    np.testing.assert_array_equal(found.read(slice(0, 50)), rows_of(NAMES[:50]))
    assert (found.read(slice(50, 100))["features"] == -1).all()


def test_a_file_that_vanishes_or_changes_gives_no_row(tmp_path: Path) -> None:
    found = RowIndex(keys(), STORE.row_type)
    found.add(*write(tmp_path / "gone", NAMES[:50]))
    found.add(*write(tmp_path / "changed", NAMES[50:75]))
    found.add(*write(tmp_path / "shorter", NAMES[75:]))
    (tmp_path / "gone").unlink()
    write(tmp_path / "changed", NAMES[49:74])
    write(tmp_path / "shorter", NAMES[75:80])
    with pytest.raises(UserError, match=r"gone vanished while it was read \(dvc gc\?\)\. Run `dvc repro` again\."):
        found.read(slice(0, 50))
    with pytest.raises(UserError, match="changed while they were read"):
        found.read(slice(50, 75))
    with pytest.raises(UserError, match="shorter vanished while it was read"):
        found.read(slice(75, 100))


def test_a_row_that_was_never_found_is_never_made_up(tmp_path: Path) -> None:
    found = RowIndex(keys(), STORE.row_type)
    found.add(*write(tmp_path / "a", NAMES[:50]))
    with pytest.raises(UserError):
        found.read(slice(45, 55))
