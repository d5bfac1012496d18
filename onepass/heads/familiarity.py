"""How far a photo is from those that trained: what a head cannot know, as it only tells its own classes apart.

A photo of something else gets one of the classes, too, and often a high probability of it. So features are compared
with those of training photos: deep nearest neighbours (Sun et al., "Out-of-Distribution Detection with Deep Nearest
Neighbors", ICML 2022, arXiv 2204.06507), here of a bounded number of them. Their roots are compared, which tell
strangers apart more often that are much like one's own photos: with MobileNet, and one material shown to a model of two
others, areas under the ROC curve of 0.73 to 0.76 for 0.68 to 0.76.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = 1e-12  # what a length is divided by at least
NEIGHBOURS = 5
PROTOTYPES = 1024  # training photos that are kept
VALUES = 1 << 21  # numbers that all prototypes have together, at most; but
FEWEST = 64  # prototypes are kept in any case


def root_directions(features: NDArray[Any]) -> NDArray[np.float32]:
    """(images, *shape, channels) to (images, channels): the mean over all places, its roots with their signs, length 1.

    A row of zeros stays one.
    """
    means = features.reshape(len(features), -1, features.shape[-1]).mean(axis=1, dtype=np.float32)
    return unit_length(np.sign(means) * np.sqrt(np.abs(means)))


def unit_length(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows, (images, values), of length 1; rows of zeros stay as they are."""
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=np.float64))
    scaled: NDArray[np.float32] = values / np.maximum(lengths, SHORTEST).astype(np.float32)[:, None]
    return scaled


def distances(features: NDArray[Any], prototypes: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 minus the mean cosine of the nearest prototypes: (images,), 0..2.

    Args:
        features: (images, *shape, channels), as they are stored.
        prototypes: (prototypes, channels), of length 1.

    """
    cosines = root_directions(features) @ prototypes.T
    nearest = min(NEIGHBOURS, len(prototypes))
    return np.asarray(1 - np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1))


def places_of_prototypes(labels: NDArray[np.int64], channels: int) -> NDArray[np.intp]:
    """Which training photos are kept, sorted: of all classes as many as there is room for, the first ones of each.

    Args:
        labels: (images,), of photos in an order by chance, as that of their hashes is.
        channels: of the features of a photo.

    """
    by_class = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_class], labels[by_class])
    rank = np.empty(len(labels), np.intp)
    rank[by_class] = np.arange(len(labels)) - starts
    most = max(FEWEST, min(PROTOTYPES, VALUES // channels))
    return np.sort(np.argsort(rank, kind="stable")[:most])
