"""A Keras network cut after a layer: with preprocessing before and pooling after the cut, frozen, and compiled."""

from typing import TYPE_CHECKING, Any

from onepass.backbones.backbone import Backbone, FeatureShape
from onepass.backbones.batch_norm_folding import fold_batch_norms
from onepass.backbones.keras_loading import output_of
from onepass.backbones.pooling import TOKENS, check_pooling
from onepass.backbones.preprocessing import preprocess
from onepass.core import UserError, first_line
from onepass.engines import Forward, check_forward, image_to_check
from onepass.tensorflow import keras, layers_within, tf

if TYPE_CHECKING:
    from onepass.backbones.keras_source import KerasSource


class Cut:
    """From pixels to features, not compiled. ``network`` is the part between preprocessing and pooling."""

    def __init__(self, backbone: Backbone, network: Any, in_bfloat16: bool) -> None:
        """UserError: there is no such layer, or it does not fit the side or the pooling.

        Args:
            network: the whole one, in float32; its layers are used, not copied.
            in_bfloat16: every layer computes in bfloat16; weights stay float32 and are rounded where they are used.

        """
        self.network = _cut(backbone, network, in_bfloat16)
        self._backbone = backbone

    def features(self, pixels: Any) -> Any:
        """uint8 RGB (batch, side, side, 3), 0..255, to float32 (batch, *shape): tensors, or Keras's symbols of them."""
        maps = self.network(preprocess(keras.ops.cast(pixels, "float32"), self._backbone.preprocess), training=False)
        maps = keras.ops.cast(maps, "float32")
        return _pooled(maps, self._backbone.pooling, self._backbone.special_tokens)


def _pooled(features: Any, pooling: str, special_tokens: int) -> Any:
    """Maps or tokens as ``onepass.backbones.pooling`` says."""
    if pooling == "none":
        return features
    of_tokens = len(features.shape) == TOKENS
    spread, axes = (features[:, special_tokens:], 1) if of_tokens else (features, (1, 2))
    pooled = keras.ops.max(spread, axis=axes) if pooling == "max" else keras.ops.mean(spread, axis=axes)
    if pooling == "cls":
        return features[:, 0]
    return keras.ops.concatenate([features[:, 0], pooled], axis=1) if pooling == "cls+avg" else pooled


def _cut(backbone: Backbone, network: Any, in_bfloat16: bool) -> Any:
    """The network from its input, float32 (batch, side, side, 3), to the output of ``backbone.layer``."""
    path, side = backbone.weights, backbone.side
    if in_bfloat16:
        for layer in layers_within(network):
            layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    expected = getattr(network, "input_shape", None)
    if not isinstance(expected, tuple) or len(expected) != 4 or expected[3] != 3:
        raise UserError(f"{path}: expected one input of RGB images, found the input shape {expected}.")
    if any(length not in (None, side) for length in expected[1:3]):
        raise UserError(f"backbone.image_side: {side} given; {path} takes {expected[1]} by {expected[2]} pixels.")
    output = output_of(network, backbone.layer)
    check_pooling(backbone.pooling, backbone.special_tokens, output.shape, backbone.layer)
    try:
        cut = keras.Model(network.inputs, output, name="cut")
    except ValueError as error:
        raise UserError(
            f"backbone.layer: {backbone.layer!r} given, which does not lie on a path from the input of {path}: "
            f"{first_line(error)}"
        ) from error
    _check_side(cut, backbone)
    return cut


def _check_side(cut: Any, backbone: Backbone) -> None:
    """UserError: so little is left of such small images that a layer has nothing to work on."""
    try:
        left = cut.compute_output_shape((1, *backbone.pixel_shape))[1:]
        problem = "" if all(left) else f"its output would have the shape {left}"
    except ValueError as error:
        problem = first_line(error)
    if problem:
        raise UserError(
            f"backbone.image_side: {backbone.side} given, too small for {backbone.weights} up to layer "
            f"{backbone.layer!r}: {problem}. Give a larger side, or an earlier layer."
        )


class TruncatedNetwork:
    """The network below the cut, to be run and to be named by a digest."""

    def __init__(self, backbone: Backbone, source: "KerasSource") -> None:
        """UserError: the weights cannot be read or do not fit, or there is no such layer."""
        self._backbone = backbone
        bfloat16 = backbone.precision == "bfloat16"
        self._fused = bfloat16 and backbone.engine.fuses_bfloat16()
        self._cut = Cut(backbone, source.whole_keras_network(backbone), bfloat16 and not self._fused)
        self._digest = source.digest(backbone, self._cut.network)
        fold_batch_norms(self._cut.network)

    def feature_shape(self) -> FeatureShape:
        """sha256 over the network below the cut; dtype and shape of a row."""
        shape = self._cut.network.compute_output_shape((1, *self._backbone.pixel_shape))[1:]
        pooled = [shape[-1] * (2 if self._backbone.pooling == "cls+avg" else 1)]
        return FeatureShape(self._digest, "float32", [*shape] if self._backbone.pooling == "none" else pooled)

    def forward(self, batch: int) -> Forward:
        """One compiled call: uint8 RGB (batch, side, side, 3), 0..255, to float32 features (batch, *shape).

        The shape is fixed, so that it is compiled once; the caller pads the last batch.
        """
        shape = (batch, *self._backbone.pixel_shape)
        traced = tf.function(
            self._cut.features, input_signature=[tf.TensorSpec(shape, tf.uint8)]
        ).get_concrete_function()
        engine = self._backbone.engine
        forward = engine.compile(traced, shape, self._fused)
        if engine.package != "tensorflow":
            image = image_to_check(self._backbone.pixel_shape)
            expected = self._cut.features(image).numpy()
            check_forward(forward, batch, image, expected, engine.name, self._backbone.precision == "bfloat16")
        return forward
