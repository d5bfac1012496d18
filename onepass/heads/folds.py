"""Folds and shares of images, class by class: by them a head in closed form chooses what it cannot fit."""

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


def share_by_class(
    labels: NDArray[np.int64], images: NDArray[np.intp], share: float, seed: int, least: int
) -> NDArray[np.intp]:
    """Of the images of each class a share, by chance and sorted; a larger share has all of a smaller one.

    Args:
        labels: of all images.
        images: places among them, of those to choose from.
        share: 0..1.
        least: images of a class.

    """
    random = np.random.RandomState(seed)
    found = []
    for number in np.unique(labels[images]):
        members = random.permutation(images[labels[images] == number])
        found.append(members[: max(round(len(members) * share), least)])
    return np.sort(np.concatenate(found))
