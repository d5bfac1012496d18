"""The frozen network: cut, and made into one compiled call of a fixed shape."""

import hashlib
import json
from typing import Any

import numpy as np

from stages.shared.backbone.cut import Cut
from stages.shared.backbone.folding import fold_batch_norms
from stages.shared.backbone.forward import Forward
from stages.shared.backbone.runtimes import fuses_bfloat16, with_openvino, with_tensorflow
from stages.shared.params import Backbone
from stages.shared.tensorflow import tf


class FrozenBackbone:
    """The network below the cut, to be run and to be named by a digest."""

    def __init__(self, backbone: Backbone, side: int) -> None:
        """UserError: the weights cannot be read or do not fit, or there is no such layer."""
        self._side = side
        self._pooling = backbone.pooling
        # OpenVINO and TensorFlow on some processors make a float32 graph a bfloat16 one themselves.
        self._runtime = backbone.runtime
        bfloat16 = backbone.precision == "bfloat16"
        self._bfloat16 = bfloat16 and (self._runtime == "openvino" or fuses_bfloat16())
        self._cut = Cut(backbone, side, in_bfloat16=bfloat16 and not self._bfloat16)
        layers = self._cut.network.get_config() if backbone.weights.endswith(".keras") else backbone.name
        self._digest = _digest(layers, self._cut.network.weights)
        fold_batch_norms(self._cut.network)

    def describe(self) -> tuple[str, str, list[int]]:
        """sha256 over the network below the cut; dtype and shape of a row.

        The digest covers the weights (shapes and bytes, in network order) and, where the layers come from a
        .keras file and not from keras.applications, their configuration.
        """
        shape = self._cut.network.compute_output_shape((1, self._side, self._side, 3))[1:]
        return self._digest, "float32", [*(shape if self._pooling == "none" else shape[-1:])]

    def forward(self, batch: int) -> Forward:
        """One compiled call: uint8 RGB (batch, side, side, 3), 0..255, to float32 features (batch, *shape).

        The shape is fixed, so that it is compiled once; the caller pads the last batch.
        """
        shape = [batch, self._side, self._side, 3]
        traced = tf.function(
            self._cut.features, input_signature=[tf.TensorSpec(shape, tf.uint8)]
        ).get_concrete_function()
        if self._runtime == "openvino":
            return with_openvino(traced, shape, self._bfloat16)
        return with_tensorflow(traced, self._bfloat16)


def _digest(layers: Any, weights: list[Any]) -> str:
    digest = hashlib.sha256(json.dumps(layers, sort_keys=True).encode())
    for weight in weights:
        array = np.ascontiguousarray(weight.numpy())
        digest.update(f"{array.dtype.str} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
