"""The part of a trained head that is a Keras network, applied: convolutions, or layers above the backbone's cut."""

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.errors import UserError
from stages.shared.head.head import Head
from stages.shared.tensorflow import keras, tf

BATCH = 64  # images a call when a network is applied


def restore(head: Head) -> Any:
    """The network of a head, with its weights. UserError where the two do not fit."""
    try:
        description = deepcopy(head.network)  # Keras empties what it is given
        network = keras.saving.deserialize_keras_object(description, safe_mode=True)
        network.set_weights(head.network_weights)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"the network of the trained head cannot be read: {error}. `dvc repro` trains it again."
        ) from error
    return network


class HeadNetwork:
    """The network of a head, compiled: features (images, *shape) to float32 maps."""

    def __init__(self, head: Head) -> None:
        network = restore(head)
        self._apply = tf.function(lambda maps: network(tf.cast(maps, tf.float32), training=False))

    def __call__(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """Maps of every image, whatever their number."""
        starts = range(0, len(features), BATCH)
        return np.concatenate([self._apply(features[start : start + BATCH]).numpy() for start in starts])
