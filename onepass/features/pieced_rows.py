"""Rows that need not be computed: other stores have all their pieces, as those of another list of layers may."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, in_hex
from onepass.features.pool import Pool, described_pools, folder_of, name_of
from onepass.features.reuse import add_previous, previous_record
from onepass.features.row_index import RowIndex
from onepass.features.rows import make_rows
from onepass.features.side_by_side import Piece, pieces
from onepass.features.store import Store
from onepass.features.team_pool import TeamPool
from onepass.features.versions import VERSIONS_FILE, Environment, Record, parse_record

TOGETHER = 1024  # rows at once


class OtherRows(NamedTuple):
    """Rows of another store, which one environment has computed."""

    store: Store
    environment: Environment
    find: Callable[[RowIndex], None]


class _Found(NamedTuple):
    """Where the rows of another store are that have a piece."""

    rows: RowIndex
    there: NDArray[np.bool_]  # of the keys of the index
    columns: slice  # of the piece


def pieced_together(
    index: RowIndex,
    store: Store,
    team: TeamPool | None,
    machine: Path,
    here: Environment,
    previous: Iterable[OtherRows],
) -> Iterator[tuple[Record, Callable[[], None]]]:
    """For each environment that computed all pieces of some rows: its record, and what puts those rows into its pool.

    Args:
        index: learns of the rows.
        store: of the rows that are wanted.
        previous: gives the previous output, as ``previous_pieces`` has it.

    """
    if len(store.shape) != 1 or not index.missing().any():
        return
    wanted = {piece.store.key for piece in pieces(store)}
    of_environment: dict[str, list[OtherRows]] = {}
    for other in (*previous, *_of_pools(machine)):
        if other.store.key != store.key and wanted & {piece.store.key for piece in pieces(other.store)}:
            of_environment.setdefault(name_of(other.environment), []).append(other)
    for name, others in sorted(of_environment.items(), key=lambda named: (named[0] != name_of(here), named[0])):
        if wanted <= {piece.store.key for other in others for piece in pieces(other.store)}:
            record = Record(environments=[others[0].environment])
            pool = Pool(folder_of(machine, store.key) / name, store, index, team)
            yield record, partial(_put_together, index, store, pool, record, others)


def previous_pieces(files: Any, out: Path, before: Store | None, here: Environment) -> Iterator[OtherRows]:
    """The previous output; nothing where it is not known which environment computed it.

    Args:
        before: what it says of itself.

    """
    if before is None:
        return
    record = previous_record(files, out)
    known = [here] if here in record.environments else record.environments
    if known and record.same_bits:  # each of them gives these very rows
        yield OtherRows(before, known[0], lambda index: add_previous(index, files, out, before))


def _of_pools(machine: Path) -> Iterator[OtherRows]:
    for folder, store in described_pools(machine):
        for path in sorted(folder.glob(f"*/{VERSIONS_FILE}")):
            environments = parse_record(path.read_bytes()).environments
            if len(environments) == 1:
                yield OtherRows(store, environments[0], partial(_find_in_pool, path.parent, store))


def _find_in_pool(folder: Path, store: Store, index: RowIndex) -> None:
    with suppress(FileNotFoundError):  # another run has just made room
        Pool(folder, store, index).find()


def _put_together(index: RowIndex, store: Store, pool: Pool, record: Record, others: list[OtherRows]) -> None:
    """Puts the missing rows into the pool of which all pieces are found."""
    keys = index.keys[index.missing()]
    wanted = pieces(store)
    sources: list[list[_Found]] = [[] for _ in wanted]  # of each piece
    for other in others:
        theirs = {piece.store.key: piece.columns for piece in pieces(other.store)}
        found = RowIndex(keys, other.store.row_type)
        other.find(found)
        for piece, some in zip(wanted, sources, strict=True):
            if piece.store.key in theirs:
                some.append(_Found(found, ~found.missing(), theirs[piece.store.key]))
    whole = np.logical_and.reduce([np.logical_or.reduce([one.there for one in some]) for some in sources])
    if not whole.any():
        return
    pool.begin(record)
    ready = np.flatnonzero(whole)
    for start in range(0, len(ready), TOGETHER):
        places = ready[start : start + TOGETHER]
        try:
            features = _joined(store, wanted, sources, places)
        except UserError:  # a pool was emptied meanwhile: what is left is computed
            return
        pool.add(make_rows([in_hex(key) for key in keys[places]], features, store.key))


def _joined(store: Store, wanted: list[Piece], sources: list[list[_Found]], places: NDArray[np.intp]) -> NDArray[Any]:
    """The features at these places, each of which some store has: (places, values)."""
    features = np.empty((len(places), *store.shape), store.dtype)
    for piece, some in zip(wanted, sources, strict=True):
        left = np.ones(len(places), bool)
        for found in some:
            have = left & found.there[places]
            if have.any():
                features[have, piece.columns] = found.rows.read(places[have])["features"][:, found.columns]
            left &= ~have
    return features
