"""The whole model: from the pixels of a photo to the probability of each class, in plain Keras.

It repeats what extraction, train-head and evaluate do, with their own parts where these are Keras too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.backbone.cut import Cut
from stages.shared.backbone.weights_file import resolved_side
from stages.shared.head.convolutions import pooling_layer
from stages.shared.head.head import Head
from stages.shared.head.head_network import restore
from stages.shared.model.model_file import RESIZE
from stages.shared.params import INPUT, Backbone
from stages.shared.photos.decoding import LIGHT, UPWARDS
from stages.shared.tensorflow import keras


def whole_model(backbone: Backbone, head: Head) -> Any:
    """A Keras model: uint8 RGB photos (batch, height, width, 3), 0..255, to float32 (batch, classes), rows of sum 1.

    Raises:
        UserError: the backbone cannot be loaded.

    """
    # The numbers in the names of unnamed layers start anew: the same model has the same bytes.
    keras.utils.clear_session(free_memory=False)
    side = resolved_side(backbone)
    photo = keras.Input((None, None, 3), dtype="uint8", name="photo")
    pixels = keras.layers.Resizing(side, side, antialias=True, dtype="uint8", name=RESIZE)(photo)
    if backbone.layer == INPUT:
        features = _grayscale(pixels) if backbone.color_mode == "grayscale" else pixels
    else:
        features = Cut(backbone, side, in_bfloat16=backbone.precision == "bfloat16").features(pixels)
    return keras.Model(photo, _probabilities(head, features), name="onepass")


def _grayscale(pixels: Any) -> Any:
    """What ``stages.shared.photos.decoding.grayscale`` computes, as layers."""
    light = keras.ops.matmul(keras.ops.cast(pixels, "float32"), LIGHT)
    return keras.ops.round((light + UPWARDS) / 1000)


def _probabilities(head: Head, features: Any) -> Any:
    """What ``Head.probabilities`` computes of the features, as layers."""
    values = keras.ops.cast(features, "float32")
    if head.network is not None:
        values = restore(head)(values, training=False)
    values = pooling_layer(head.pooling)(values)
    if head.feature_scale != 1:
        values = keras.layers.Rescaling(head.feature_scale, name="scale")(values)
    *hidden, (kernel, bias) = zip(head.weights[::2], head.weights[1::2], strict=True)
    for number, arrays in enumerate(hidden, start=1):
        values = _dense(*arrays, "relu", f"hidden{number}")(values)
    if head.activation == "sigmoid":  # of z, which is the softmax of (0, z)
        kernel, bias = (np.concatenate([np.zeros_like(array), array], axis=-1) for array in (kernel, bias))
    return _dense(kernel, bias, "softmax", "probabilities")(values)


def _dense(kernel: NDArray[np.float32], bias: NDArray[np.float32], activation: str, name: str) -> Any:
    layer = keras.layers.Dense(len(bias), activation=activation, name=name)
    layer.build((None, len(kernel)))
    layer.set_weights([kernel, bias])
    return layer
