"""Folds inside the training images, by which a head in closed form chooses what it cannot fit."""

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


def folds_by_class(labels: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each image, by chance, with as many of every class as in every other: scikit-learn's StratifiedKFold.

    Args:
        labels: (images,), of every class at least ``folds``.

    """
    random = np.random.RandomState(seed)
    found = np.empty(len(labels), np.int64)
    dealt = 0
    for label in labels[np.sort(np.unique(labels, return_index=True)[1])]:  # in the order of their first images
        members = np.flatnonzero(labels == label)
        of_class = np.sort(np.arange(dealt, dealt + len(members)) % folds)
        random.shuffle(of_class)
        found[members] = of_class
        dealt += len(members)
    return found
