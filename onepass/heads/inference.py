"""A trained head applied to stored features, in memory that does not grow with them."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError
from onepass.features import Store, read_features
from onepass.heads.dataset import Dataset
from onepass.heads.trained_head import Figures, TrainedHead

PIECE = 2 << 20  # features, numbers, in memory at once
CALLED = 64  # images a call of a head's network
OnBatch = Callable[[Sequence[str], NDArray[Any], NDArray[np.float64]], None]


def predictor(
    head: TrainedHead, folder: Path, store: Store
) -> Callable[[Sequence[str], OnBatch | None], NDArray[np.float64]]:
    """A function from hashes to probabilities, (images, classes), in their order.

    Its second argument is given hashes, features, (images, *shape), and probabilities of each piece: who else needs
    them reads no file again.
    """
    maps = network_of(head)
    images = max(PIECE // prod(store.shape), 1)

    def predict(hashes: Sequence[str], on_batch: OnBatch | None) -> NDArray[np.float64]:
        probabilities = np.empty((len(hashes), len(head.classes)))
        for start in range(0, len(hashes), images):
            piece = hashes[start : start + images]
            features = read_features(folder, store, piece)
            chances = head.probabilities(maps(features))
            probabilities[start : start + images] = chances
            if on_batch:
                on_batch(piece, features, chances)
        return probabilities

    return predict


def figures(head: TrainedHead, data: Dataset) -> Figures:
    """Loss and accuracy of a head without a network, on features as ``TrainedHead.probabilities`` takes them."""
    chances = head.probabilities(data.features)
    right = np.maximum(chances[np.arange(len(data.labels)), data.labels], 1e-300)
    return Figures(float(-np.log(right).mean()), float((chances.argmax(axis=1) == data.labels).mean()))


def network_of(head: TrainedHead) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What the head does before its dense layers; most heads do nothing, and need no TensorFlow."""
    if head.network is None:
        return lambda features: features
    from onepass.tensorflow import tf  # noqa: PLC0415 - imports TensorFlow

    network = restore_network(head)
    apply = tf.function(lambda maps: network(tf.cast(maps, tf.float32), training=False))

    def maps(features: NDArray[Any]) -> NDArray[Any]:
        starts = range(0, len(features), CALLED)
        return np.concatenate([apply(features[start : start + CALLED]).numpy() for start in starts])

    return maps


def restore_network(head: TrainedHead) -> Any:
    """The Keras network of a head, with its weights. UserError where the two do not fit."""
    from onepass.tensorflow import keras  # noqa: PLC0415 - imports TensorFlow

    try:
        description = deepcopy(head.network)  # Keras empties what it is given
        network = keras.saving.deserialize_keras_object(description, safe_mode=True)
        network.set_weights(head.network_weights)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"the network of the trained head cannot be read: {error}. `dvc repro` trains it again."
        ) from error
    return network


def pooling_layer(pooling: str) -> Any:
    """Maps to one value a channel, or to all values in a row."""
    from onepass.tensorflow import keras  # noqa: PLC0415 - imports TensorFlow

    if pooling == "none":
        return keras.layers.Flatten(name="flatten")
    kind = keras.layers.GlobalAveragePooling2D if pooling == "avg" else keras.layers.GlobalMaxPooling2D
    return kind(name=f"pool_{pooling}")
