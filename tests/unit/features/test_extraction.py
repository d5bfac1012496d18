"""What is computed: each missing view once, in order, a few batches in memory; each batch is kept before the next."""

import hashlib
import os
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import UserError, packed
from onepass.engines import BATCH, Forward, infer
from onepass.engines.batch_inference import DECODED_AHEAD
from onepass.features import Store, extraction
from onepass.features.pool import Pool
from onepass.features.row_index import RowIndex
from onepass.features.rows import make_rows, pack, row_hashes
from onepass.features.store import by_part
from onepass.features.work import Job, Saved, save_rows
from onepass.photos import Image, LocatedView, PixelReader, View, WantedViews, views_of
from tests.builders import write_photos

NAMES = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(10))
STORE = Store(len(NAMES), "float32", [3], {"backbone": "ours"}, "")
SHAPE = (1, 1, 3)
MANY = 50 * BATCH + 1  # items, far more than are under way at once
TOGETHER = Forward(lambda pixels: pixels, at_once=2)


def images(names: Iterable[str]) -> list[Image]:
    return [Image(name, f"{place}.png", 1, 1, 0) for place, name in enumerate(names)]


def test_each_missing_view_is_located_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    one, two, three = NAMES[2], NAMES[0], NAMES[1]
    wanted = WantedViews([two, three, one], [1, 3, 3])
    index = RowIndex(wanted.keys(), STORE.row_type)
    kept = [View(one, 0).key, View(two, 0).key, View(three, 1).key]
    rows = make_rows(kept, np.zeros((3, 3), np.float32), STORE.key)
    (tmp_path / "kept").write_bytes(pack(rows))
    index.add("kept", tmp_path / "kept", row_hashes(rows))
    files = images([one, two, one, NAMES[7], three, three])
    assert list(extraction.located_views(lambda: files, wanted, index.keys, index.missing())) == [
        LocatedView("0.png", View(one, 1)),
        LocatedView("0.png", View(one, 2)),
        LocatedView("4.png", View(three, 0)),
        LocatedView("4.png", View(three, 2)),
    ]


def test_an_image_without_a_file_is_an_error_and_not_a_missing_row() -> None:
    wanted = WantedViews(NAMES[:3], [1, 1, 1])
    every = np.ones(3, bool)
    with pytest.raises(UserError, match=r"images\.csv lacks 2 of the images in wanted_views\.txt"):
        list(extraction.located_views(lambda: images(NAMES[:1]), wanted, wanted.keys(), every))


def test_a_wanted_row_costs_little_memory(tmp_path: Path) -> None:
    count = 20_000
    names = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))
    (tmp_path / "wanted_views.txt").write_bytes(b"".join(WantedViews.line(name, 1) for name in names))

    def files() -> Iterator[Image]:
        return (Image(name, f"a folder/{name}.png", 1, 1, 0) for name in reversed(names))

    tracemalloc.start()
    try:
        wanted = WantedViews.read(tmp_path / "wanted_views.txt")
        keys = wanted.keys()
        index = RowIndex(keys, STORE.row_type)
        located = sum(1 for _ in extraction.located_views(files, wanted, keys, index.missing()))
        stored = sum(places.stop - places.start for _, places in by_part(keys))
        bytes_a_row = tracemalloc.get_traced_memory()[1] / count
    finally:
        tracemalloc.stop()
    assert located == stored == count
    assert bytes_a_row < 120  # a dict of hashes takes 300


def pixels_of(item: int) -> NDArray[np.uint8]:
    return np.full(SHAPE, item % 256, np.uint8)


def test_items_are_taken_a_few_batches_before_they_are_computed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(MANY):
            taken.append(item)
            yield item

    done: list[int] = []
    for batch, features in infer(items(), pixels_of, SHAPE, TOGETHER):
        done += batch
        assert features[:, 0, 0, 0].tolist() == [item % 256 for item in batch]
        assert len(taken) <= len(done) + (DECODED_AHEAD + TOGETHER.at_once + 1) * BATCH
    assert done == list(range(MANY))


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_no_more_is_computed_ahead_than_the_network_takes_at_once(at_once: int) -> None:
    begun, running, most, lock = 0, 0, 0, Lock()

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        nonlocal begun, running, most
        with lock:
            begun, running = begun + 1, running + 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return pixels

    for saved, _ in enumerate(infer(range(30 * BATCH), pixels_of, SHAPE, Forward(call, at_once))):
        time.sleep(0.005)  # whoever saves is slower
        assert begun <= saved + 1 + at_once
    assert begun == 30
    assert most <= at_once


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8])
def test_the_last_batch_is_padded_with_black_which_nobody_sees(count: int, batch: int) -> None:
    calls: list[NDArray[np.uint8]] = []

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        calls.append(pixels)
        return pixels

    found = list(infer(range(100, 100 + count), pixels_of, SHAPE, Forward(call, at_once=1), batch))
    assert [item for items, _ in found for item in items] == list(range(100, 100 + count))
    assert all(len(items) == len(features) for items, features in found)
    assert [pixels.shape for pixels in calls] == [(batch, *SHAPE)] * len(calls)
    padding = np.concatenate(calls)[count:] if calls else np.empty(0)
    assert len(padding) == -count % batch
    assert not padding.any()


def test_an_error_of_an_item_comes_after_the_batches_before_it() -> None:
    begun = []

    def broken(item: int) -> NDArray[np.uint8]:
        begun.append(item)
        if item == 3 * BATCH + 5:
            raise UserError("photo 5 of the fourth batch")
        return pixels_of(item)

    done: list[int] = []
    with pytest.raises(UserError, match="photo 5 of the fourth batch"):
        done.extend(item for batch, _ in infer(range(MANY), broken, SHAPE, TOGETHER) for item in batch)
    assert done == list(range(3 * BATCH))
    assert len(begun) <= (4 + DECODED_AHEAD) * BATCH


def test_after_an_error_nothing_is_begun_that_waits() -> None:
    begun = []

    def broken(item: int) -> NDArray[np.uint8]:
        begun.append(item)
        if item == 0:
            raise UserError("the first photo")
        time.sleep(1)  # every thread is busy while the error is found
        return pixels_of(item)

    with pytest.raises(UserError, match="the first photo"):
        list(infer(range(MANY), broken, SHAPE, TOGETHER))
    assert len(begun) <= 1 + (os.cpu_count() or 1)


def test_an_error_of_the_network_comes_at_its_batch() -> None:
    calls = []

    def broken(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        calls.append(int(pixels[0, 0, 0, 0]))
        if calls[-1] == 3 * BATCH % 256:
            raise MemoryError("the fourth batch")
        return pixels

    done: list[int] = []
    with pytest.raises(MemoryError, match="the fourth batch"):
        done.extend(item for batch, _ in infer(range(MANY), pixels_of, SHAPE, Forward(broken, 2)) for item in batch)
    assert done == list(range(3 * BATCH))
    assert len(calls) <= 4 + 2


def test_a_caller_that_stops_ends_the_work() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(MANY):
            taken.append(item)
            yield item

    batches = infer(items(), pixels_of, SHAPE, TOGETHER)
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # a generator
    before = len(taken)
    time.sleep(0.05)
    assert len(taken) == before < MANY


def brightness(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A network whose feature is the sum of the pixels."""
    assert len(pixels) == BATCH
    sums: NDArray[np.float32] = pixels.astype(np.float32).sum(axis=(1, 2, 3))
    return sums.reshape(-1, 1)


def located(root: Path, count: int) -> list[LocatedView]:
    """The views of photos, which are written for it."""
    write_photos(root, {"cats": count}, side=2)
    files = sorted(root.glob("*/*"))
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return [
        LocatedView(str(file), view) for file, hash_ in zip(files, hashes, strict=True) for view in views_of(hash_, 1)
    ]


def empty_pool(folder: Path, views: list[LocatedView]) -> tuple[Pool, RowIndex]:
    store = Store(len(views), "float32", [1], {"backbone": "ours"}, "")
    index = RowIndex(packed(sorted(view.view.key for view in views)), store.row_type)
    return Pool(folder, store, index), index


def compute(views: list[LocatedView], pool: Pool, index: RowIndex, parent: int, network: Any = brightness) -> None:
    """By this process, as extraction has it computed."""
    store = pool._store

    def here(job: Job) -> Iterator[Saved]:
        photos = PixelReader(Path(), (2, 2, 3), "scaled")
        return save_rows(job.views, Forward(network, at_once=2), photos, job.pool, store, threads=2)

    nothing: Any = None
    job = Job(nothing, nothing, iter(views), index.keys, pool, index, nothing)
    extraction.compute(job, here, parent)


def test_each_row_has_the_features_of_its_own_photo(tmp_path: Path) -> None:
    views = located(tmp_path / "photos", BATCH + 3)
    pool, index = empty_pool(tmp_path / "machine", views)
    compute(views, pool, index, os.getppid())
    rows = index.read(slice(0, len(views)))
    reader = PixelReader(Path(), (2, 2, 3), "scaled")
    wanted = {view.view.key: reader.pixels(view).sum() for view in views}
    assert rows["features"][:, 0].tolist() == [wanted[key] for key in sorted(wanted)]


def test_a_photo_that_changed_costs_itself_alone(tmp_path: Path) -> None:
    views = located(tmp_path / "photos", 3 * BATCH)
    Path(views[5].file).write_bytes(b"another photo")
    pool, index = empty_pool(tmp_path / "machine", views)
    with pytest.raises(UserError, match=f"^{views[5].file} has changed since prepare hashed it"):
        compute(views, pool, index, os.getppid())
    assert index.missing().sum() == 1


def test_photos_that_are_gone_are_told_together_when_the_others_are_kept(tmp_path: Path) -> None:
    views = located(tmp_path / "photos", 2 * BATCH)
    for place in range(0, 2 * BATCH, 8):
        Path(views[place].file).unlink()
    pool, index = empty_pool(tmp_path / "machine", views)
    with pytest.raises(UserError, match=r"8 of 64 images could not be read; .* of the others are kept\.") as told:
        compute(views, pool, index, os.getppid())
    assert f"{views[0].file} cannot be read any more: No such file" in str(told.value)
    assert "and 3 more" in str(told.value)
    assert index.missing().sum() == 8


def test_rows_that_others_computed_and_nobody_finds_are_an_error(tmp_path: Path) -> None:
    views = located(tmp_path / "photos", 3)
    pool, index = empty_pool(tmp_path / "machine", views)
    nothing: Any = None
    job = Job(nothing, nothing, iter(views), index.keys, pool, index, nothing)
    with pytest.raises(UserError, match=r"3 rows were computed elsewhere and are not in .*ONEPASS_POOL="):
        extraction.compute(job, lambda _job: iter([Saved(3, [])]), os.getppid())


def test_a_feature_that_cannot_be_stored_stops_at_its_photo_and_keeps_the_batches_before(tmp_path: Path) -> None:
    views = located(tmp_path / "photos", 2 * BATCH)
    store = Store(len(views), "float16", [1], {"backbone": "ours"}, "")
    index = RowIndex(packed(sorted(view.view.key for view in views)), store.row_type)
    pool, photos = Pool(tmp_path / "machine", store, index), PixelReader(Path(), (2, 2, 3), "scaled")
    bright = photos.pixels(views[BATCH + 3])

    def dazzled(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.where([[(photo == bright).all()] for photo in pixels], np.float32(1e6), brightness(pixels))

    with pytest.raises(UserError, match=f"a feature of {views[BATCH + 3].file} is 1e\\+06; float16 holds .* 65504"):
        compute(views, pool, index, os.getppid(), dazzled)
    assert index.missing().sum() == BATCH


def test_a_run_whose_parent_died_keeps_its_batch_and_ends(tmp_path: Path) -> None:
    views = located(tmp_path / "photos", 3 * BATCH)
    pool, index = empty_pool(tmp_path / "machine", views)
    with pytest.raises(UserError, match=r"the dvc that started this run has ended\. What was computed is kept"):
        compute(views, pool, index, parent=-1)
    assert index.missing().sum() == 2 * BATCH
