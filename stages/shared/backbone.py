"""The frozen network: loaded, cut after a layer, and made into one compiled call of a fixed shape."""

import difflib
import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.errors import UserError
from stages.shared.legacy_weights import load_legacy
from stages.shared.params import LAST, Backbone
from stages.shared.preprocessing import preprocess
from stages.shared.tensorflow import keras, tf
from stages.shared.weights_file import resolved_preprocess

Forward = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class FrozenBackbone:
    """A network cut after ``backbone.layer``, with its preprocessing before and its pooling after the cut."""

    def __init__(self, backbone: Backbone, side: int) -> None:
        """UserError: the weights cannot be read or do not fit, or there is no such layer."""
        self._side = side
        self._mode = resolved_preprocess(backbone)
        self._pooling = backbone.pooling
        self._cut = _load_cut(backbone, side)
        self._layers = self._cut.get_config() if backbone.weights.endswith(".keras") else backbone.name

    def describe(self) -> tuple[str, str, list[int]]:
        """sha256 over the network below the cut; dtype and shape of a row.

        The digest covers the weights (shapes and bytes, in network order) and, where the layers come from a
        .keras file and not from keras.applications, their configuration.
        """
        digest = hashlib.sha256(json.dumps(self._layers, sort_keys=True).encode())
        for weight in self._cut.weights:
            array = np.ascontiguousarray(weight.numpy())
            digest.update(f"{array.dtype.str} {array.shape};".encode())
            digest.update(array.tobytes())
        row = self.forward(batch=1)(np.zeros((1, self._side, self._side, 3), np.uint8))[0]
        return digest.hexdigest(), str(row.dtype), list(row.shape)

    def forward(self, batch: int) -> Forward:
        """One compiled call: uint8 RGB (batch, side, side, 3), 0..255, to float32 features (batch, *shape).

        The shape is fixed, so that TensorFlow compiles once; the caller pads the last batch.
        """
        signature = [tf.TensorSpec((batch, self._side, self._side, 3), tf.uint8)]
        compiled = tf.function(self.features, input_signature=signature)
        return lambda pixels: compiled(tf.constant(pixels)).numpy()

    def features(self, pixels: Any) -> Any:
        """What ``forward`` compiles: tensors, or Keras's symbols for them, of uint8 pixels to those of features."""
        maps = self._cut(preprocess(keras.ops.cast(pixels, "float32"), self._mode), training=False)
        maps = keras.ops.cast(maps, "float32")
        if self._pooling == "avg":
            return keras.ops.mean(maps, axis=(1, 2))
        return keras.ops.max(maps, axis=(1, 2)) if self._pooling == "max" else maps


def build_application(name: str, side: int) -> Any:
    """The network of keras.applications without its top and with random weights."""
    return getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3))


def load_network(backbone: Backbone, side: int) -> Any:
    """The whole network, with its weights, in float32. UserError where they cannot be read or do not fit."""
    path = backbone.weights
    return _from_keras_file(path) if path.endswith(".keras") else _with_weights(backbone, side)


def _load_cut(backbone: Backbone, side: int) -> Any:
    """The network from its input, float32 (batch, side, side, 3), to the output of ``backbone.layer``."""
    path = backbone.weights
    network = load_network(backbone, side)
    if backbone.precision == "bfloat16":
        for layer in network.layers:  # weights stay float32 and are rounded where they are used
            layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    expected = getattr(network, "input_shape", None)
    if not isinstance(expected, tuple) or len(expected) != 4 or expected[3] != 3:
        raise UserError(f"{path}: expected one input of RGB images, found the input shape {expected}.")
    if any(length not in (None, side) for length in expected[1:3]):
        raise UserError(f"backbone.image_side: {side} given; {path} takes {expected[1]} by {expected[2]} pixels.")
    output = output_of(network, backbone.layer)
    if backbone.pooling != "none" and len(output.shape) != 4:
        raise UserError(
            f"backbone.pooling: {backbone.pooling} given, but layer {backbone.layer!r} gives the shape "
            f"{output.shape[1:]}, which has no height and width to pool over; allowed: none."
        )
    try:
        return keras.Model(network.inputs, output, name="cut")
    except ValueError as error:
        raise UserError(
            f"backbone.layer: {backbone.layer!r} given, which does not lie on a path from the input of {path}: "
            f"{_first_line(error)}"
        ) from error


def _with_weights(backbone: Backbone, side: int) -> Any:
    network = build_application(backbone.name, side)
    try:
        with _nothing_skipped():
            if not load_legacy(network, backbone.weights):
                network.load_weights(backbone.weights)
    except Exception as error:  # of a damaged file h5py and Keras raise nearly every type there is
        raise UserError(
            f"backbone.weights: {backbone.weights} does not fit {backbone.name} without its top: {_first_line(error)}"
        ) from error
    return network


def _from_keras_file(path: str) -> Any:
    try:
        with _nothing_skipped():
            # safe_mode: a .keras file is data from elsewhere and must not run code of its own.
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, KeyError, TypeError, UserWarning) as error:
        raise UserError(f"backbone.weights: {path} cannot be loaded: {_first_line(error)}") from error


@contextmanager
def _nothing_skipped() -> Iterator[None]:
    """Keras only warns when it finds no weights for a layer, and leaves them random."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="(?s).*(Skipping|no matching group|not found|could not be loaded)")
        yield


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def output_of(network: Any, name: str, key: str = "backbone.layer") -> Any:
    """The one tensor that the layer gives; ``last`` is the output of the whole network.

    Raises:
        UserError: no such layer, or several outputs; ``key`` is the parameter that is wrong.

    """
    names = [layer.name for layer in network.layers]
    if name == LAST:
        outputs = network.outputs
    elif name in names:
        layers = network.get_config()["layers"]
        (uses,) = (layer.get("inbound_nodes") or [1] for layer in layers if layer["config"]["name"] == name)
        output = network.get_layer(name).output
        outputs = [*uses] if len(uses) > 1 else output if isinstance(output, list | tuple) else [output]
    else:
        close = difflib.get_close_matches(name, names, n=5, cutoff=0.0)
        raise UserError(
            f"{key}: {name!r} given, which this network does not have; the most alike are: "
            f"{', '.join(close)}. Also allowed: last, {'input' if key == 'backbone.layer' else 'none'}."
        )
    if len(outputs) != 1:
        raise UserError(f"{key}: {name!r} given, which has {len(outputs)} outputs; allowed: one.")
    return outputs[0]
