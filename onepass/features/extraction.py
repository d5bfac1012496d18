"""Extraction: plan which rows are missing, compute those, commit all of them.

Rows of the previous output and of this machine's pools are kept where key and fingerprint match; those of another
environment are checked before others are computed beside them. A batch is safe in the pool before the next one is
saved, so that a killed run goes on where it was.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.backbones import resolve
from onepass.core import Hashes, UserError, batched, find, listed, packed, progress_bar, write_sealed_json
from onepass.dvc_repo import dvc_files, machine_folder
from onepass.engines import BATCH
from onepass.features.agreement import Check
from onepass.features.feature_spec import specify
from onepass.features.pieced_rows import pieced_together, previous_pieces
from onepass.features.pool import evict, folder_of, one_at_a_time, open_pools, size_limit
from onepass.features.reuse import add_previous, find_rows, previous_record, previous_store
from onepass.features.row_index import RowIndex
from onepass.features.shard import Shard
from onepass.features.store import FINGERPRINT_FILE, Store, by_part
from onepass.features.team_pool import team_pool
from onepass.features.versions import VERSIONS_FILE, Record, environment
from onepass.features.work import Job, Work
from onepass.features.workers import Compute, chosen_workers
from onepass.params import BackboneParams
from onepass.photos import Image, LocatedView, PixelReader, WantedViews

LOOKED_UP = 1024  # views at once


class Extracted(NamedTuple):
    """How many rows there are, and how many of them had to be computed."""

    rows: int
    computed: int


def extract(
    params: BackboneParams,
    wanted: WantedViews,
    images: Callable[[], Iterable[Image]],
    root: Path,
    out: Path,
    any_remote: bool = False,
    shard: Shard | None = None,
) -> Extracted:
    """Writes the features of all wanted views into the folder ``out``; those of a shard into the pools alone.

    Args:
        images: gives the rows of images.csv; called only if a row must be computed.
        root: the folder to which their file names are relative.
        out: its previous version, as DVC still has it, is where rows are taken from first.
        any_remote: whether some photos are fetched from elsewhere.
        shard: the part of the views that is computed, where other machines compute the others.

    Raises:
        UserError: an image has no file any more, the weights do not fit, rows of another environment differ, and so
            on.

    """
    parent = os.getppid()
    workers, most = chosen_workers(), size_limit()
    backbone = resolve(params)
    here, rule = environment(backbone), params.versions
    keys = wanted.keys()
    network = lru_cache(maxsize=1)(backbone.load)
    forward = lru_cache(maxsize=1)(lambda: network().forward(BATCH))
    files = dvc_files()
    machine = machine_folder(files)
    before = previous_store(files, out)
    store = specify(backbone, len(keys), before, machine, network)
    index = RowIndex(keys, store.row_type)
    folder = folder_of(machine, store.key)
    team = team_pool(folder)
    with one_at_a_time(machine, store.key, str(shard or "")):
        if team:
            team.fetch()
        own, *others = open_pools(folder, store, index, here, team)
        stores = [(Record(environments=[here]), own.find), *((pool.record, pool.find) for pool in others)]
        if before and before.key == store.key:
            stores.insert(0, (previous_record(files, out), partial(add_previous, index, files, out, before)))
        previous = previous_pieces(files, out, before, here)
        pieced = pieced_together(index, store, team, machine, here, previous)
        sources = find_rows(index, chain(stores, pieced), here, rule)
        missing = index.missing() & (shard.mask(keys) if shard else True)
        computed = int(missing.sum())
        photos = PixelReader(root, backbone.pixel_shape, backbone.decoding, framing=backbone.framing)
        check = Check(index, partial(located_views, images, wanted, keys), photos, forward, here, rule)
        record = check.record_of(sources, computed)
        if computed:
            own.begin(Record(environments=[here]))
            views = located_views(images, wanted, keys, missing)
            work = Work(params, store, here, root.absolute(), any_remote, machine, folder)
            absent = keys if missing.all() else keys[missing]  # not twice in memory where all rows must be computed
            compute(Job(work, backbone, views, absent, own, index, forward), workers, parent)
        stop_if_orphaned(parent)
        if shard:
            return Extracted(int(shard.mask(keys).sum()), computed)
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
        if not left.any():
            return
    if left.any():
        raise UserError(
            f"images.csv lacks {left.sum()} of the images in wanted_views.txt. Run `dvc repro --force prepare`."
        )


def compute(job: Job, workers: Compute, parent: int) -> None:
    """Has the missing rows computed; whatever ends it, those that are in the pool are kept.

    Args:
        parent: the process that waits for this one.

    Raises:
        UserError: photos have changed or are gone, which is told when all others are done; or a feature cannot be
            stored.

    """
    count, kept, refused = len(job.keys), 0, list[str]()
    try:
        with progress_bar(count, "extract-features", "images") as bar:
            for saved in workers(job):
                kept += saved.rows
                refused += saved.refused
                bar.update(saved.rows)
                if saved.note:
                    bar.set_postfix_str(saved.note, refresh=False)
                stop_if_orphaned(parent)
    except KeyboardInterrupt as error:
        raise UserError(
            f"stopped. {kept:,} of {count:,} images that had to be computed are kept; the same command goes on from "
            "there."
        ) from error
    lacking = int(job.index.missing()[find(job.index.keys, job.keys)].sum()) - len(refused)
    if lacking:
        raise UserError(
            f"{lacking:,} rows were computed elsewhere and are not in {job.pool.folder}: the folder is not the same "
            "for all workers. Share it, or set ONEPASS_POOL=s3://bucket/pool."
        )
    if len(refused) == 1:
        raise UserError(refused[0])
    if refused:
        raise UserError(
            f"{len(refused):,} of {count:,} images could not be read; the features of the others are kept.\n"
            f"{listed(sorted(refused))}"
        )


def commit(store: Store, index: RowIndex, record: Record, out: Path) -> None:
    """Writes all parts, the fingerprint and the versions. Run by hand, and not by DVC, the rows that are kept may
    lie in ``out``: it stays until all is written.
    """
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, places in by_part(index.keys):
        index.write_part(places, fresh / name)
    write_sealed_json(fresh / FINGERPRINT_FILE, store._asdict())
    record.write(fresh / VERSIONS_FILE)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)


def stop_if_orphaned(parent: int) -> None:
    """DVC, when it is killed, leaves its stages running; nobody waits for this one's output any more."""
    if os.getppid() != parent:
        raise UserError("the dvc that started this run has ended. What was computed is kept.")
