"""The frozen network: cut after a layer, and made into one compiled call of a fixed shape."""

import hashlib
import json
from typing import Any

import numpy as np

from stages.shared.backbone import first_line, load_network, output_of
from stages.shared.errors import UserError
from stages.shared.forward import Forward
from stages.shared.params import Backbone
from stages.shared.preprocessing import preprocess
from stages.shared.runtimes import fuses_bfloat16, use_bfloat16, with_openvino, with_tensorflow
from stages.shared.tensorflow import keras, tf
from stages.shared.weights_file import resolved_preprocess


class FrozenBackbone:
    """A network cut after ``backbone.layer``, with its preprocessing before and its pooling after the cut."""

    def __init__(self, backbone: Backbone, side: int) -> None:
        """UserError: the weights cannot be read or do not fit, or there is no such layer."""
        self._side = side
        self._mode = resolved_preprocess(backbone)
        self._pooling = backbone.pooling
        # OpenVINO and TensorFlow on some processors make a float32 graph a bfloat16 one themselves.
        self._runtime = backbone.runtime
        bfloat16 = backbone.precision == "bfloat16"
        self._bfloat16 = bfloat16 and (self._runtime == "openvino" or fuses_bfloat16())
        self._cut = _load_cut(backbone, side, layers_in_bfloat16=bfloat16 and not self._bfloat16)
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
        shape = self._cut.compute_output_shape((1, self._side, self._side, 3))[1:]
        return digest.hexdigest(), "float32", [*(shape if self._pooling == "none" else shape[-1:])]

    def forward(self, batch: int) -> Forward:
        """One compiled call: uint8 RGB (batch, side, side, 3), 0..255, to float32 features (batch, *shape).

        The shape is fixed, so that it is compiled once; the caller pads the last batch.
        """
        shape = [batch, self._side, self._side, 3]
        traced = tf.function(self._features, input_signature=[tf.TensorSpec(shape, tf.uint8)]).get_concrete_function()
        if self._runtime == "openvino":
            return with_openvino(traced, shape, self._bfloat16)
        return with_tensorflow(traced, self._bfloat16)

    def _features(self, pixels: Any) -> Any:
        maps = tf.cast(self._cut(preprocess(tf.cast(pixels, tf.float32), self._mode), training=False), tf.float32)
        if self._pooling == "avg":
            return tf.reduce_mean(maps, axis=(1, 2))
        return tf.reduce_max(maps, axis=(1, 2)) if self._pooling == "max" else maps


def _load_cut(backbone: Backbone, side: int, layers_in_bfloat16: bool) -> Any:
    """The network from its input, float32 (batch, side, side, 3), to the output of ``backbone.layer``."""
    path = backbone.weights
    network = load_network(backbone, side)
    if layers_in_bfloat16:
        use_bfloat16(network)
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
            f"{first_line(error)}"
        ) from error
