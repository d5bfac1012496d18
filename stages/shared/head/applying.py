"""A trained head applied to stored features."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.head.head import Head
from stages.shared.store.features import open_store, read_features

CHUNK = 1024  # images whose features are in memory at once


def predict(head: Head, features: Path, hashes: Sequence[str]) -> NDArray[np.float64]:
    """(images, classes), in the order of the hashes. Memory does not grow with the features."""
    store = open_store(features)
    chunks = [hashes[start : start + CHUNK] for start in range(0, len(hashes), CHUNK)]
    maps = network_of(head)
    return np.concatenate([head.probabilities(maps(read_features(features, store, chunk))) for chunk in chunks])


def network_of(head: Head) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What the head does before its dense layers; most heads do nothing, and need no TensorFlow."""
    if head.network is None:
        return lambda features: features
    from stages.shared.head.head_network import HeadNetwork  # noqa: PLC0415 - imports TensorFlow

    return HeadNetwork(head)
