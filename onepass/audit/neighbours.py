"""The photos that are most alike, by the directions of their features."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import cores, progress_bar

COUNT = 10  # neighbours of each photo
EXACT = 1 << 14  # photos up to which each is compared with each
PIECE = 512  # photos at once
LOOKED_INTO = 16  # of the lists of photos near a pivot, for each photo
SAMPLE = 256  # photos with which the search is compared with the exact one


class Neighbours(NamedTuple):
    """For each photo those that are most alike, the nearest first."""

    places: NDArray[np.int32]  # (photos, count); -1 where there are fewer
    cosines: NDArray[np.float32]  # (photos, count)
    recall: float  # the share of the true ones that a sample of photos has found; 1 where each was compared with each


def directions(features: NDArray[np.float32], from_mean: bool = True) -> NDArray[np.float32]:
    """Features (photos, values) at length 1; those of length 0 stay 0.

    Args:
        from_mean: as they are seen from the mean of all, where photos that have much in common lie apart, as copies
            need it. Photos of something else lie near that mean: those are told by features as they are.

    """
    away = features - features.mean(axis=0, dtype=np.float64).astype(np.float32) if from_mean else features.copy()
    lengths = np.sqrt(np.einsum("ij,ij->i", away, away))
    away /= np.maximum(lengths, np.finfo(np.float32).tiny)[:, None]
    return np.asarray(away)


def nearest(vectors: NDArray[np.float32], count: int = COUNT, exact: int = EXACT) -> Neighbours:
    """The neighbours of each of ``vectors``, (photos, values), each of length 1.

    With more than ``exact`` photos each is compared with those near the same pivots, some of the photos, which takes
    time of the order of n to the 1.5, and misses few.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1), ThreadPoolExecutor(cores()) as threads:  # for the same bits on any number of cores
        if len(vectors) <= exact:
            pieces = [np.arange(start, min(start + PIECE, len(vectors))) for start in range(0, len(vectors), PIECE)]
            found = list(threads.map(lambda piece: _among_all(vectors, piece, count), pieces))
            places, cosines = (np.concatenate(parts) for parts in zip(*found, strict=True))
            return Neighbours(places, cosines, 1.0)
        places, cosines = _by_pivots(vectors, count, threads)
        sample = np.linspace(0, len(vectors) - 1, SAMPLE).astype(np.intp)
        true, _ = _among_all(vectors, sample, count)
        hits = [np.isin(mine, theirs).mean() for mine, theirs in zip(true, places[sample], strict=True)]
        return Neighbours(places, cosines, float(np.mean(hits)))


def _among_all(
    vectors: NDArray[np.float32], piece: NDArray[np.intp], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    cosines = vectors[piece] @ vectors.T
    cosines[np.arange(len(piece)), piece] = -np.inf
    return _best(cosines, np.broadcast_to(np.arange(len(vectors)), cosines.shape), count)


def _best(
    cosines: NDArray[np.float32], places: NDArray[np.integer], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The ``count`` largest of each row with their places; -inf stands for none."""
    short = max(count - cosines.shape[1], 0)
    if short:
        cosines = np.pad(cosines, ((0, 0), (0, short)), constant_values=-np.inf)
        places = np.pad(places, ((0, 0), (0, short)), constant_values=-1)
    chosen = np.argpartition(-cosines, count - 1, axis=1)[:, :count] if cosines.shape[1] > count else None
    if chosen is not None:
        cosines, places = np.take_along_axis(cosines, chosen, 1), np.take_along_axis(places, chosen, 1)
    order = np.lexsort((places, -cosines), axis=1)
    cosines, places = np.take_along_axis(cosines, order, 1), np.take_along_axis(places, order, 1)
    return np.where(np.isfinite(cosines), places, -1).astype(np.int32), cosines


def _by_pivots(
    vectors: NDArray[np.float32], count: int, threads: ThreadPoolExecutor
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    photos = len(vectors)
    pivots = vectors[np.linspace(0, photos - 1, int(photos**0.5)).astype(np.intp)]
    pieces = [slice(start, min(start + PIECE, photos)) for start in range(0, photos, PIECE)]
    near = np.concatenate([*threads.map(lambda piece: _best_places(vectors[piece] @ pivots.T), pieces)])
    lists = _members(near[:, 0], len(pivots))
    asking = _members(near.ravel(), len(pivots))  # by number of the question: photo * LOOKED_INTO + rank
    places = np.full((photos, count), -1, np.int32)
    cosines = np.full((photos, count), -np.inf, np.float32)

    def look(pivot: int) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32]]:
        askers, members = asking[pivot] // near.shape[1], lists[pivot]
        alike = vectors[askers] @ vectors[members].T
        alike[askers[:, None] == members] = -np.inf
        return askers, *_best(alike, np.broadcast_to(members, alike.shape), count)

    with progress_bar(len(pivots), "neighbours", "lists") as bar:
        for askers, theirs, how_alike in threads.map(look, [n for n in range(len(pivots)) if len(lists[n])]):
            both = np.hstack([cosines[askers], how_alike]), np.hstack([places[askers], theirs])
            places[askers], cosines[askers] = _best(*both, count)
            bar.update()
    return places, cosines


def _best_places(cosines: NDArray[np.float32]) -> NDArray[np.intp]:
    """Of each row the places of the ``LOOKED_INTO`` largest, the largest first."""
    most = min(LOOKED_INTO, cosines.shape[1])
    chosen = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
    order = np.argsort(-np.take_along_axis(cosines, chosen, 1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, 1)


def _members(numbers: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
    """For each number below ``count`` the places where it stands."""
    order = np.argsort(numbers, kind="stable")
    return np.split(order, numbers[order].searchsorted(np.arange(1, count)))
