"""Folds for a repeated cross-validation in which images that belong together are never torn apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def folds_of_groups(
    labels: NDArray[np.int64], groups: Sequence[NDArray[np.intp]], folds: int, seed: int
) -> NDArray[np.int64]:
    """A fold for each image, by chance, each with about as many images of every class as every other.

    Args:
        labels: (images,).
        groups: the images of each group of two or more; all others are groups of their own.
        folds: how many.

    """
    random = np.random.RandomState(seed)
    found = np.full(len(labels), -1)
    filled = np.zeros((folds, int(labels.max()) + 1), np.int64)
    order = random.permutation(len(groups))
    for group in sorted((groups[number] for number in order), key=len, reverse=True):
        of_class = np.bincount(labels[group], minlength=filled.shape[1])
        fold = int((filled @ of_class).argmin())  # where its classes are rarest so far
        found[group] = fold
        filled[fold] += of_class
    for label in range(filled.shape[1]):
        alone = np.flatnonzero((labels == label) & (found < 0))
        random.shuffle(alone)
        found[alone] = _evened_out(filled[:, label], len(alone), random.permutation(folds))
    return found


def _evened_out(filled: NDArray[np.int64], more: int, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The folds of ``more`` images of a class so that all folds have as many as can be.

    Args:
        filled: how many each fold has already.
        order: which of those that have as many comes first.

    """
    # The first place that a fold offers is its emptiest; all places, by how full the fold then is.
    levels = filled[order][:, None] + np.arange(more)
    places = np.argsort(levels, axis=None, kind="stable")[:more]
    return np.asarray(order[places // more]) if more else np.empty(0, np.int64)
