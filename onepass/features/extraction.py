"""Extraction: plan which rows are missing, compute those, commit all of them.

Rows of the previous output and of this machine's pool are kept where key and fingerprint match. A batch is safe in
the pool before the next one is saved, so that a killed run goes on where it was.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from onepass.backbones import Backbone, Network
from onepass.core import UserError, batched, find, packed, progress_bar, write_json
from onepass.dvc_repo import dvc_files, machine_folder
from onepass.engines import BATCH, infer
from onepass.features.feature_spec import specify
from onepass.features.pool import Pool, evict, one_at_a_time, size_limit
from onepass.features.reuse import add_previous, previous_store
from onepass.features.row_index import RowIndex
from onepass.features.rows import make_rows, pack
from onepass.features.store import FINGERPRINT_FILE, Store, by_part
from onepass.photos import Image, LocatedView, PixelReader, WantedViews

LOOKED_UP = 1024  # views at once


class Extracted(NamedTuple):
    """How many rows there are, and how many of them had to be computed."""

    rows: int
    computed: int


def extract(backbone: Backbone, wanted: WantedViews, images: Iterable[Image], root: Path, out: Path) -> Extracted:
    """Writes the features of all wanted views into the folder ``out``.

    Args:
        images: rows of images.csv, gone through only if a row must be computed.
        root: the folder to which their file names are relative.
        out: its previous version, as DVC still has it, is where rows are taken from first.

    Raises:
        UserError: an image has no file any more, the weights do not fit, and so on.

    """
    parent = os.getppid()
    most = size_limit()
    keys = wanted.keys()
    network = lru_cache(maxsize=1)(backbone.load)
    files = dvc_files()
    machine = machine_folder(files)
    before = previous_store(files, out)
    store = specify(backbone, len(keys), before, machine, network)
    index = RowIndex(keys, store.row_type)
    if before and before.key == store.key:
        add_previous(index, files, out, before)
    with one_at_a_time(machine, store.key):
        pool = Pool(machine, store, index)
        missing = int(index.missing().sum())
        if missing:
            views = missing_views(images, wanted, index)
            photos = PixelReader(root, backbone.pixel_shape, backbone.decoding)
            compute(views, missing, network(), photos, pool, store.key, parent)
        stop_if_orphaned(parent)
        commit(store, index, out)
        evict(machine, pool.folder, most)
    return Extracted(len(keys), missing)


def missing_views(images: Iterable[Image], wanted: WantedViews, index: RowIndex) -> Iterator[LocatedView]:
    """Each view whose row must still be found, once, in the order of the files.

    UserError: a view of no image is left at the end.
    """
    missing = index.missing()
    views = (LocatedView(image.file, view) for image in images for view in wanted.of(image.hash))
    for some in batched(views, LOOKED_UP):
        places = find(index.keys, packed(located.view.key for located in some))
        for located, place in zip(some, places, strict=True):
            if place >= 0 and missing[place]:
                missing[place] = False  # the next file with the same bytes is a copy
                yield located
    if missing.any():
        raise UserError(
            f"images.csv lacks {missing.sum()} of the images in wanted_views.txt. Run `dvc repro --force prepare`."
        )


def compute(
    views: Iterable[LocatedView],
    count: int,
    network: Network,
    photos: PixelReader,
    pool: Pool,
    key: bytes,
    parent: int,
) -> None:
    """Computes the ``count`` missing rows batch by batch; each batch is safe in the pool before the next one."""
    batches = infer(views, photos.pixels, photos.shape, network.forward(BATCH), BATCH)
    with progress_bar(count, "extract-features", "images") as bar:
        for some, features in batches:
            pool.add(make_rows([located.view.key for located in some], features, key))
            bar.update(len(some))
            stop_if_orphaned(parent)


def commit(store: Store, index: RowIndex, out: Path) -> None:
    """Writes all parts and the fingerprint. Run by hand, and not by DVC, the rows that are kept may lie in ``out``: it
    stays until all is written.
    """
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, places in by_part(index.keys):
        (fresh / name).write_bytes(pack(index.read(places)))
    write_json(fresh / FINGERPRINT_FILE, store._asdict())
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)


def stop_if_orphaned(parent: int) -> None:
    """DVC, when it is killed, leaves its stages running; nobody waits for this one's output any more."""
    if os.getppid() != parent:
        raise UserError("the dvc that started this run has ended. What was computed is kept.")
