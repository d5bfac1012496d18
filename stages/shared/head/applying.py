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


def predictor(head: Head, folder: Path, store: Store) -> Callable[[Sequence[str], See | None], NDArray[np.float64]]:
    """A function from hashes to probabilities, (images, classes), in their order.

    Its memory does not grow with the features. Its second argument is given the hashes and features, (images, *shape),
    of each piece: who else needs them reads no file again.
    """
    maps = network_of(head)
    images = max(PIECE // prod(store.shape), 1)

    def predict(hashes: Sequence[str], see: See | None) -> NDArray[np.float64]:
        probabilities = np.empty((len(hashes), len(head.classes)))
        for start in range(0, len(hashes), images):
            piece = hashes[start : start + images]
            features = read_features(folder, store, piece)
            probabilities[start : start + images] = head.probabilities(maps(features))
            if see:
                see(piece, features)
        return probabilities

    return predict


def network_of(head: Head) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What the head does before its dense layers; most heads do nothing, and need no TensorFlow."""
    if head.network is None:
        return lambda features: features
    from stages.shared.head.head_network import HeadNetwork  # noqa: PLC0415 - imports TensorFlow

    return HeadNetwork(head)
