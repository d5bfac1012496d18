"""Rows that must be computed, as any worker on any machine can: photos in, rows in the pool.

What a worker needs to know fits into a message; photos and features stay out of it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from onepass.backbones import Backbone
from onepass.core import Hashes, UserError
from onepass.engines import BATCH, Forward, infer
from onepass.features.decoded_photos import DecodedPhotos
from onepass.features.pool import Pool
from onepass.features.row_index import RowIndex
from onepass.features.rows import as_stored, make_rows
from onepass.features.store import Store
from onepass.features.versions import Environment
from onepass.params import BackboneParams
from onepass.photos import LocatedView, PixelReader


class Work(NamedTuple):
    """What is to be computed, but for the list of photos."""

    params: BackboneParams
    store: Store
    here: Environment  # in which the rows are computed, everywhere the same
    root: Path  # to which the names of photos are relative
    any_remote: bool  # whether photos are fetched from elsewhere
    machine: Path  # the folder of pools and locks
    pools: Path  # of this fingerprint


@dataclass(frozen=True)
class Job:
    """All of it, as the process has it that hands it out."""

    work: Work
    backbone: Backbone
    views: Iterator[LocatedView]
    keys: Hashes  # of the views, sorted
    pool: Pool  # that keeps the rows, and tells the index of them
    index: RowIndex
    forward: Callable[[], Forward]  # compiles the network here


class Saved(NamedTuple):
    """A step of the work."""

    rows: int  # that are safe in the pool now
    refused: list[str]  # a message for each photo that could not be read
    note: str = ""  # of the workers, for the progress bar


def reader(work: Work, backbone: Backbone, keys: Hashes) -> PixelReader:
    """Gives the pixels of photos; decodes none again that prepare has decoded on this machine.

    Args:
        backbone: that of ``work.params``.
        keys: of the views that will be asked for, sorted.

    """
    decoded = DecodedPhotos(work.machine, backbone, keys)
    return PixelReader(work.root, backbone.pixel_shape, backbone.decoding, decoded.pixels, backbone.framing)


def save_rows(
    views: Iterable[LocatedView], forward: Forward, photos: PixelReader, pool: Pool, store: Store, threads: int
) -> Iterator[Saved]:
    """Computes rows batch by batch; each batch is safe in the pool before the next one.

    A photo that cannot be read costs itself alone.

    Args:
        forward: compiled for ``BATCH`` images a call.
        threads: that read photos.

    Raises:
        UserError: a feature cannot be stored.

    """
    refused: list[str] = []

    def refuse(_view: LocatedView, error: UserError) -> None:
        refused.append(str(error))

    for some, features in infer(views, photos.pixels, photos.shape, forward, BATCH, threads=threads, refuse=refuse):
        rounded = as_stored(features, store.dtype, [located.file for located in some])
        pool.add(make_rows([located.view.key for located in some], rounded, store.key))
        told, refused[:] = list(refused), []
        yield Saved(len(some), told)
    if refused:
        yield Saved(0, refused)
