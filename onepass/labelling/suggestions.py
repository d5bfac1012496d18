"""The photos of a folder that are best labelled next, in that order."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.evaluation import ALIKE, FEWEST_VALUES, pooled
from onepass.features import features_of_sample
from onepass.heads import CHEAP_HEADS, root_directions
from onepass.labelling.representatives import representatives
from onepass.params import BackboneParams
from onepass.photos import Image

MOST = 1 << 13  # photos that are looked at, and labelled ones that they are compared with: those of the smallest hashes
FEW = 10  # labels of a class, below which it is not asked how sure heads are
SEED = 0


class Suggestion(NamedTuple):
    """A photo to be labelled."""

    image: Image
    predicted: str  # by heads that the labelled photos have trained; empty where those are too few
    probability: float


class Labelled(NamedTuple):
    """Photos whose label is known, sorted by hash."""

    images: Sequence[Image]
    labels: Sequence[str]
    trains: Sequence[bool]  # whether it may train a head: those that judge in the end do not
    root: Path  # the folder to which names of files are relative


def suggest(
    params: BackboneParams, images: Sequence[Image], root: Path, labelled: Labelled | None, count: int, out: Path
) -> list[Suggestion]:
    """What to label next, the first first; fewer than ``count`` where the others are copies.

    Typical photos first, and those of a kind that has no label yet; where heads can be trained, those count more of
    which they are less sure, by the margin between the two most probable classes.

    Args:
        images: not labelled, different ones, sorted by hash; only the first ``MOST`` are looked at.
        root: the folder to which names of their files are relative.
        labelled: photos of the project; None: there are none.
        out: where the pipeline keeps features.

    Raises:
        UserError: weights or photos that cannot be used.

    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    images = images[:MOST]
    new = pooled(features_of_sample(params, images, root, out))
    old = pooled(features_of_sample(params, labelled.images[:MOST], labelled.root, out)) if labelled else new[:0]
    with threadpool_limits(1):  # for the same bits on any number of cores
        classes, chances = said_by_heads(new, old, labelled)
        seen = from_mean(root_directions(np.concatenate([new, old])))
        mine, known = seen[: len(new)], seen[len(new) :]
        covered = (mine @ known.T).max(axis=1) if len(known) else None
        alike = ALIKE if new.shape[1] >= FEWEST_VALUES else np.inf
        chosen = representatives(mine @ mine.T, count, covered, doubt(chances) if classes else None, alike)
    if not classes:
        return [Suggestion(images[number], "", 0.0) for number in chosen]
    return [
        Suggestion(images[number], classes[chances[number].argmax()], float(chances[number].max())) for number in chosen
    ]


def from_mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Directions, (photos, values), as they are seen from their mean: what all have in common tells nothing apart."""
    away = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    lengths = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(away / np.maximum(lengths, np.finfo(np.float32).tiny))


def said_by_heads(
    new: NDArray[np.float32], old: NDArray[np.float32], labelled: Labelled | None
) -> tuple[list[str], NDArray[np.float64]]:
    """The classes, and what cheap heads say of new photos: (photos, classes); none where labels are too few."""
    nothing: list[str] = []
    if labelled is None:
        return nothing, np.empty((len(new), 0))
    training = np.flatnonzero(labelled.trains[: len(old)]).tolist()
    classes = sorted({labelled.labels[place] for place in training})
    numbers = np.array([classes.index(labelled.labels[place]) for place in training], np.int64)
    if len(classes) < 2 or np.bincount(numbers).min() < FEW:
        return nothing, np.empty((len(new), 0))
    heads = [head.trained_on(old[training], numbers, classes, SEED) for head in CHEAP_HEADS]
    return classes, np.asarray(np.mean([says(new) for says in heads], axis=0))


def doubt(chances: NDArray[np.float64]) -> NDArray[np.float32]:
    """1 minus the margin between the two most probable classes: (photos,), 0..1."""
    ordered = np.sort(chances, axis=1)
    return (1 - ordered[:, -1] + ordered[:, -2]).astype(np.float32)
