"""Rows that are kept are found wherever they lie, and the views without one are located once."""

import hashlib
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from onepass.core import Hashes, UserError, packed
from onepass.engines import BATCH, Forward, infer
from onepass.engines.batch_inference import DECODED_AHEAD
from onepass.features import Store
from onepass.features.extraction import missing_views
from onepass.features.pool import Pool
from onepass.features.row_index import RowIndex
from onepass.features.rows import Rows, make_rows, pack, row_hashes
from onepass.features.store import by_part
from onepass.photos import READ_WANTED_TODO, WRITE_WANTED_TODO, Image, LocatedView, View, views_of

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


def test_the_pool_gives_its_sound_chunks_and_deletes_the_damaged_one(tmp_path: Path) -> None:
    pool = Pool(tmp_path, STORE, RowIndex(keys(), STORE.row_type))
    for start in range(0, 100, 20):
        pool.add(rows_of(NAMES[start : start + 20]))
    chunks = sorted(pool.folder.iterdir())
    for chunk in chunks[1:3]:
        chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    found = RowIndex(keys(NAMES[:40]), STORE.row_type)
    Pool(tmp_path, STORE, found)
    assert found.missing().tolist() == [False] * 20 + [True] * 20
    assert sorted(pool.folder.iterdir()) == [chunks[0], *chunks[2:]]  # the other damaged one holds nothing wanted


def images(names: Iterable[str]) -> list[Image]:
    return [Image(name, f"{place}.png", 1, 1, 0) for place, name in enumerate(names)]


def test_each_missing_view_is_located_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    one, two, three = NAMES[2], NAMES[0], NAMES[1]
    wanted = [*views_of(one, 3), View(two, 0), *views_of(three, 3)]
    kept = [View(one, 0), View(two, 0), View(three, 1)]
    found = RowIndex(keys(view.key for view in wanted), STORE.row_type)
    found.add(*write(tmp_path / "kept", [view.key for view in kept]))
    files = images([one, two, one, NAMES[7], three, three])
    assert list(missing_views(files, 3, found)) == [
        LocatedView("0.png", View(one, 1)),
        LocatedView("0.png", View(one, 2)),
        LocatedView("4.png", View(three, 0)),
        LocatedView("4.png", View(three, 2)),
    ]


def test_an_image_without_a_file_is_an_error_and_not_a_missing_row() -> None:
    found = RowIndex(keys(NAMES[:3]), STORE.row_type)
    with pytest.raises(UserError, match=r"images\.csv lacks 2 of the images in hashes\.txt"):
        list(missing_views(images(NAMES[:1]), 1, found))


def test_a_wanted_row_costs_little_memory(tmp_path: Path) -> None:
    count = 20_000
    names = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))
    (tmp_path / "wanted_views.txt").write_bytes(WRITE_WANTED_TODO((name, 1) for name in names))
    files = (Image(name, f"a folder/{name}.png", 1, 1, 0) for name in reversed(names))
    tracemalloc.start()
    try:
        wanted = packed(view.key for view in READ_WANTED_TODO(tmp_path / "wanted_views.txt"))
        wanted.sort()
        found = RowIndex(wanted, STORE.row_type)
        located = sum(1 for _ in missing_views(files, 1, found))
        stored = sum(places.stop - places.start for _, places in by_part(wanted))
        bytes_a_row = tracemalloc.get_traced_memory()[1] / count
    finally:
        tracemalloc.stop()
    assert located == stored == count
    assert bytes_a_row < 120  # a dict of hashes takes 300


def test_items_are_taken_a_few_batches_before_they_are_computed() -> None:
    last = 50 * BATCH + 1
    taken = []

    def items() -> Iterator[int]:
        for item in range(last):
            taken.append(item)
            yield item

    def pixels(item: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.full((1, 1, 3), item % 256, np.uint8)

    done: list[int] = []
    forward = Forward(lambda batch: batch, 2)
    for batch, features in infer(items(), pixels, (1, 1, 3), forward):
        done += batch
        assert features[:, 0, 0, 0].tolist() == [item % 256 for item in batch]
        assert len(taken) <= len(done) + (DECODED_AHEAD + forward.at_once + 1) * BATCH
    assert done == list(range(last))
