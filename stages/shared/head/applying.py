"""A trained head applied to stored features."""

from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.head.head import Head
from stages.shared.store.features import Store, read_features

PIECE = 2 << 20  # features, numbers, in memory at once
See = Callable[[Sequence[str], NDArray[Any]], None]


def predict(head: Head, folder: Path, store: Store, hashes: Sequence[str], see: See | None = None) -> NDArray[Any]:
    """Probabilities, float64 (images, classes), in the order of the hashes. Memory does not grow with the features.

    Args:
        see: is given the hashes and features, (images, *shape), of each piece; who else needs them reads no file again.

    """
    maps = network_of(head)
    probabilities = np.empty((len(hashes), len(head.classes)))
    images = max(PIECE // prod(store.shape), 1)
    for start in range(0, len(hashes), images):
        piece = hashes[start : start + images]
        features = read_features(folder, store, piece)
        probabilities[start : start + images] = head.probabilities(maps(features))
        if see:
            see(piece, features)
    return probabilities


def network_of(head: Head) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What the head does before its dense layers; most heads do nothing, and need no TensorFlow."""
    if head.network is None:
        return lambda features: features
    from stages.shared.head.head_network import HeadNetwork  # noqa: PLC0415 - imports TensorFlow

    return HeadNetwork(head)
