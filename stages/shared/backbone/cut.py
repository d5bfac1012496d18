"""The network cut after a layer, with its preprocessing before and its pooling after the cut."""

from typing import Any

from stages.shared.backbone.backbone import first_line, load_network, output_of
from stages.shared.backbone.preprocessing import preprocess
from stages.shared.backbone.weights_file import resolved_preprocess
from stages.shared.errors import UserError
from stages.shared.params import Backbone
from stages.shared.tensorflow import keras


class Cut:
    """From pixels to features, not compiled. ``network`` is the part between preprocessing and pooling."""

    def __init__(self, backbone: Backbone, side: int, in_bfloat16: bool) -> None:
        """UserError: the weights cannot be read or do not fit, or there is no such layer.

        Args:
            in_bfloat16: every layer computes in bfloat16; weights stay float32 and are rounded where they are used.

        """
        self.network = _load(backbone, side, in_bfloat16)
        self._mode = resolved_preprocess(backbone)
        self._pooling = backbone.pooling

    def features(self, pixels: Any) -> Any:
        """uint8 RGB (batch, side, side, 3), 0..255, to float32 (batch, *shape): tensors, or Keras's symbols of them."""
        maps = self.network(preprocess(keras.ops.cast(pixels, "float32"), self._mode), training=False)
        maps = keras.ops.cast(maps, "float32")
        if self._pooling == "avg":
            return keras.ops.mean(maps, axis=(1, 2))
        return keras.ops.max(maps, axis=(1, 2)) if self._pooling == "max" else maps


def _load(backbone: Backbone, side: int, in_bfloat16: bool) -> Any:
    """The network from its input, float32 (batch, side, side, 3), to the output of ``backbone.layer``."""
    path = backbone.weights
    network = load_network(backbone, side)
    if in_bfloat16:
        for layer in network.layers:
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
            f"{first_line(error)}"
        ) from error
