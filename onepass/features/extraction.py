"""Extraction: plan which rows are missing, compute those, commit all of them.

Rows of the previous output and of this machine's pools are kept where key and fingerprint match; those of another
environment are checked before others are computed beside them. A batch is safe in the pool before the next one is
saved, so that a killed run goes on where it was.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.backbones import Backbone
from onepass.core import Hashes, UserError, batched, find, packed, progress_bar, write_sealed_json
from onepass.dvc_repo import dvc_files, machine_folder
from onepass.engines import BATCH, Forward, infer
from onepass.features.agreement import Check
from onepass.features.decoded_photos import DecodedPhotos
from onepass.features.feature_spec import specify
from onepass.features.pool import Pool, evict, folder_of, one_at_a_time, open_pools, size_limit
from onepass.features.reuse import add_previous, find_rows, previous_record, previous_store
from onepass.features.row_index import RowIndex
from onepass.features.rows import as_stored, make_rows, pack
from onepass.features.store import FINGERPRINT_FILE, Store, by_part
from onepass.features.versions import VERSIONS_FILE, Record, environment
from onepass.params import VersionsRule
from onepass.photos import Image, LocatedView, PixelReader, WantedViews

LOOKED_UP = 1024  # views at once


class Extracted(NamedTuple):
    """How many rows there are, and how many of them had to be computed."""

    rows: int
    computed: int


def extract(
    backbone: Backbone,
    wanted: WantedViews,
    images: Callable[[], Iterable[Image]],
    root: Path,
    out: Path,
    rule: VersionsRule,
) -> Extracted:
    """Writes the features of all wanted views into the folder ``out``.

    Args:
        images: gives the rows of images.csv; called only if a row must be computed.
        root: the folder to which their file names are relative.
        out: its previous version, as DVC still has it, is where rows are taken from first.
        rule: backbone.versions, what becomes of rows of another environment.

    Raises:
        UserError: an image has no file any more, the weights do not fit, rows of another environment differ, and so
            on.

    """
    parent = os.getppid()
    most = size_limit()
    here = environment(backbone)
    keys = wanted.keys()
    network = lru_cache(maxsize=1)(backbone.load)
    forward = lru_cache(maxsize=1)(lambda: network().forward(BATCH))
    photos = partial(PixelReader, root, backbone.pixel_shape, backbone.decoding)
    files = dvc_files()
    machine = machine_folder(files)
    before = previous_store(files, out)
    store = specify(backbone, len(keys), before, machine, network)
    index = RowIndex(keys, store.row_type)
    with one_at_a_time(machine, store.key):
        folder = folder_of(machine, store.key)
        own, *others = open_pools(folder, store, index, here)
        stores = [(Record(environments=[here]), own.find), *((pool.record, pool.find) for pool in others)]
        if before and before.key == store.key:
            stores.insert(0, (previous_record(files, out), partial(add_previous, index, files, out, before)))
        sources = find_rows(index, stores, here, rule)
        missing = index.missing()
        computed = int(missing.sum())
        check = Check(index, partial(located_views, images, wanted, keys), photos(), forward, here, rule)
        record = check.record_of(sources, computed)
        if computed:
            own.begin(Record(environments=[here]))
            views = located_views(images, wanted, keys, missing)
            decoded = DecodedPhotos(machine, backbone, keys[missing])
            compute(views, computed, forward(), photos(decoded.pixels), own, store, parent)
        stop_if_orphaned(parent)
        commit(store, index, record, out)
        evict(machine, folder, most)
    return Extracted(len(keys), computed)


def located_views(
    images: Callable[[], Iterable[Image]], wanted: WantedViews, keys: Hashes, chosen: NDArray[np.bool_]
) -> Iterator[LocatedView]:
    """Each view whose key is chosen, once, in the order of the files.

    Args:
        images: gives the rows of images.csv.
        keys: of all wanted views, sorted.
        chosen: (keys,).

    Raises:
        UserError: at the end, if a view is of no image.

    """
    left = chosen.copy()
    views = (LocatedView(image.file, view) for image in images() for view in wanted.of(image.hash))
    for some in batched(views, LOOKED_UP):
        places = find(keys, packed(located.view.key for located in some))
        for located, place in zip(some, places, strict=True):
            if place >= 0 and left[place]:
                left[place] = False  # the next file with the same bytes is a copy
                yield located
    if left.any():
        raise UserError(
            f"images.csv lacks {left.sum()} of the images in wanted_views.txt. Run `dvc repro --force prepare`."
        )


def compute(
    views: Iterable[LocatedView],
    count: int,
    forward: Forward,
    photos: PixelReader,
    pool: Pool,
    store: Store,
    parent: int,
) -> None:
    """Computes the ``count`` missing rows batch by batch; each batch is safe in the pool before the next one.

    Args:
        forward: compiled for ``BATCH`` images a call.
        parent: the process that waits for this one.

    Raises:
        UserError: a photo has changed, or a feature cannot be stored.

    """
    batches = infer(views, photos.pixels, photos.shape, forward, BATCH)
    kept = 0
    try:
        with progress_bar(count, "extract-features", "images") as bar:
            for some, features in batches:
                rounded = as_stored(features, store.dtype, [located.file for located in some])
                pool.add(make_rows([located.view.key for located in some], rounded, store.key))
                kept += len(some)
                bar.update(len(some))
                stop_if_orphaned(parent)
    except KeyboardInterrupt as error:
        raise UserError(
            f"stopped. {kept:,} of {count:,} images that had to be computed are kept; the same command goes on from "
            "there."
        ) from error


def commit(store: Store, index: RowIndex, record: Record, out: Path) -> None:
    """Writes all parts, the fingerprint and the versions. Run by hand, and not by DVC, the rows that are kept may
    lie in ``out``: it stays until all is written.
    """
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, places in by_part(index.keys):
        (fresh / name).write_bytes(pack(index.read(places)))
    write_sealed_json(fresh / FINGERPRINT_FILE, store._asdict())
    record.write(fresh / VERSIONS_FILE)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)


def stop_if_orphaned(parent: int) -> None:
    """DVC, when it is killed, leaves its stages running; nobody waits for this one's output any more."""
    if os.getppid() != parent:
        raise UserError("the dvc that started this run has ended. What was computed is kept.")
