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
        given = self.network(preprocess(keras.ops.cast(pixels, "float32"), self._backbone.preprocess), training=False)
        of_layers = [
            _pooled(keras.ops.cast(maps, "float32"), self._backbone.pooling, self._backbone.special_tokens)
            for maps in (given if isinstance(given, list | tuple) else [given])
        ]
        return of_layers[0] if len(of_layers) == 1 else keras.ops.concatenate(of_layers, axis=1)


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
    """The network from its input, float32 (batch, side, side, 3), to the outputs of ``backbone.layers``."""
    path, side = backbone.weights, backbone.side
    if in_bfloat16:
        for layer in layers_within(network):
            layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    expected = getattr(network, "input_shape", None)
    if not isinstance(expected, tuple) or len(expected) != 4 or expected[3] != 3:
        raise UserError(f"{path}: expected one input of RGB images, found the input shape {expected}.")
    if any(length not in (None, side) for length in expected[1:3]):
        raise UserError(f"backbone.image_side: {side} given; {path} takes {expected[1]} by {expected[2]} pixels.")
    outputs = [output_of(network, layer) for layer in backbone.layers]
    for layer, output in zip(backbone.layers, outputs, strict=True):
        check_pooling(backbone.pooling, backbone.special_tokens, output.shape, layer, len(outputs))
    try:
        cut = keras.Model(network.inputs, outputs if len(outputs) > 1 else outputs[0], name="cut")
    except ValueError as error:
        raise UserError(
            f"backbone.layer: {_named(backbone)} given, which does not lie on a path from the input of {path}: "
            f"{first_line(error)}"
        ) from error
    _check_side(cut, backbone)
    return cut


def _named(backbone: Backbone) -> str:
    return ", ".join(map(repr, backbone.layers))


def _shapes(cut: Any, backbone: Backbone) -> list[tuple[int, ...]]:
    """Of what each layer gives for an image of the backbone's side."""
    found = cut.compute_output_shape((1, *backbone.pixel_shape))
    return [shape[1:] for shape in (found if isinstance(found, list) else [found])]


def _check_side(cut: Any, backbone: Backbone) -> None:
    """UserError: so little is left of such small images that a layer has nothing to work on."""
    try:
        nothing = [shape for shape in _shapes(cut, backbone) if not all(shape)]
        problem = f"its output would have the shape {nothing[0]}" if nothing else ""
    except ValueError as error:
        problem = first_line(error)
    if problem:
        raise UserError(
            f"backbone.image_side: {backbone.side} given, too small for {backbone.weights} up to layer "
            f"{_named(backbone)}: {problem}. Give a larger side, or an earlier layer."
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
        shapes = _shapes(self._cut.network, self._backbone)
        times = 2 if self._backbone.pooling == "cls+avg" else 1
        pooled = [sum(shape[-1] for shape in shapes) * times]
        whole = self._backbone.pooling == "none" and len(shapes) == 1
        return FeatureShape(self._digest, "float32", [*shapes[0]] if whole else pooled)

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
