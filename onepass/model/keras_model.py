"""The whole model as a .keras file that plain Keras loads, with the class names in its metadata.

It repeats what extraction, train-head and evaluate do, with their own parts where these are Keras too.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.backbones import Backbone
from onepass.core import KERAS_METADATA, UserError, check_model_file, check_recorded, read_archived_text
from onepass.heads import NEIGHBOURS, SHORTEST, Limits, TrainedHead, pooling_layer, restore_network
from onepass.model.templates import layers_of
from onepass.model.writers import check_is_here
from onepass.photos import LIGHT, UPWARDS, Framing, smallest_size
from onepass.tensorflow import import_what_needs_keras_hub, keras, layers_within, save_keras

RESIZE = "resize"  # the name of the first layer: what comes after it takes photos of one size
ANSWER = "answer"  # of the layer that gives the probabilities and, in one more column, the distance


class Model(NamedTuple):
    """A whole model as its file holds it."""

    network: Any  # Keras: uint8 RGB (batch, height, width, 3), 0..255, to float32 (batch, classes)
    classes: list[str]
    decoding: str  # of the files that its training photos came from: scaled | exact
    limits: Limits | None  # up to where its answers are believed; None: nobody chose any

    @property
    def framing(self) -> Framing:
        """What of a photo its first layer gives to the others."""
        resize = self.network.get_layer(RESIZE)
        return Framing(int(resize.height), 1.0 if resize.crop_to_aspect_ratio else None, resize.interpolation)

    @property
    def smallest(self) -> int | None:
        """To how many pixels height and width of a photo are reduced when it is decoded, as ``decode`` takes it."""
        return smallest_size(self.decoding, self.framing.side)

    @property
    def precision(self) -> str:
        """float32 | bfloat16: that of its backbone."""
        return (
            "bfloat16" if any(layer.compute_dtype == "bfloat16" for layer in layers_within(self.network)) else "float32"
        )

    def after_resize(self) -> Any:
        """What comes after the first layer: uint8 RGB (batch, side, side, 3) to ``answers``."""
        return keras.Model(self.network.get_layer(RESIZE).output, self.answers().output, name="after_resize")

    def answers(self) -> Any:
        """The network with all that it can say: the probabilities, and, with limits, in one more column the distance.

        float32 (batch, classes) or (batch, classes + 1).
        """
        if self.limits is None:
            return self.network
        return keras.Model(self.network.input, self.network.get_layer(ANSWER).output, name="answers")


def in_float32(network: Any) -> Any:
    """A copy that computes in float32 what the network does in bfloat16, in which few programs have convolutions."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for layer in layers_within(copy):
        if layer.compute_dtype == "bfloat16":
            layer.dtype_policy = keras.DTypePolicy("float32")
    return copy


def write_keras_model(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    """Writes the model of a backbone and a head. UserError: the backbone cannot be loaded."""
    about = {"classes": head.classes, "decoding": backbone.decoding, "limits": head.limits and head.limits.model_dump()}
    save_keras(path, whole_model(backbone, head), about)


def read_model(path: Path) -> Model:
    """The model in a file that train-head wrote. UserError where it is none, or no longer what dvc.lock says."""
    check_recorded(path)
    try:
        check_is_here(path)
        check_model_file(path)
        metadata = json.loads(read_archived_text(path, KERAS_METADATA))
        classes, decoding = metadata.get("classes"), metadata.get("decoding", "exact")  # all were, before it was said
        import_what_needs_keras_hub(path)
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        shapes = network.input_shape, network.output_shape
        names = [layer.name for layer in network.layers]
        limits = Limits.model_validate(metadata["limits"]) if metadata.get("limits") else None  # older ones have none
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}. `dvc repro` writes the model.") from error
    except Exception as error:  # of a damaged file zipfile, h5py and Keras raise nearly every type there is
        raise UserError(f"{path} is no .keras model that can be loaded: {error}. `dvc repro` writes one.") from error
    needed = {RESIZE, ANSWER} if limits else {RESIZE}
    if not classes or shapes != ((None, None, None, 3), (None, len(classes))) or not needed <= set(names):
        raise UserError(
            f"{path} is a Keras model, but not one from photos to classes as train-head writes it: it takes "
            f"{shapes[0]}, gives {shapes[1]}, and its {KERAS_METADATA} names {len(classes or ())} classes."
        )
    return Model(network, classes, decoding, limits)


def whole_model(backbone: Backbone, head: TrainedHead) -> Any:
    """A Keras model: uint8 RGB photos (batch, height, width, 3), 0..255, to float32 (batch, classes), rows of sum 1.

    Raises:
        UserError: the backbone cannot be loaded.

    """
    # The numbers in the names of unnamed layers start anew: the same model has the same bytes.
    keras.utils.clear_session(free_memory=False)
    photo = keras.Input((None, None, 3), dtype="uint8", name="photo")
    pixels = framed(photo, backbone.framing)
    if backbone.channels == 1:
        pixels = _grayscale(pixels)
    features = backbone.source.whole_network(backbone)(pixels)
    if backbone.storage == "float16":  # rounded, as stored features are, on which the head was trained
        features = keras.ops.cast(keras.ops.cast(features, "float16"), "float32")
    answer = _probabilities(head, features)
    if head.prototypes is not None:
        both = keras.layers.Concatenate(name=ANSWER)([answer, _distance(head.prototypes, features)])
        answer = both[:, : len(head.classes)]
    return keras.Model(photo, answer, name="onepass")


def framed(photo: Any, framing: Framing) -> Any:
    """What ``Framing.pixels`` gives, as layers, of which the first is called ``RESIZE``."""
    crops = framing.crop is not None
    size = (framing.resized, framing.resized)
    resize = keras.layers.Resizing(
        *size, framing.interpolation, antialias=True, crop_to_aspect_ratio=crops, dtype="uint8", name=RESIZE
    )
    inside = slice(framing.margin, framing.margin + framing.side)
    return resize(photo) if framing.resized == framing.side else resize(photo)[:, inside, inside]


def _grayscale(pixels: Any) -> Any:
    """What ``onepass.photos.grayscale`` computes, as layers."""
    light = keras.ops.matmul(keras.ops.cast(pixels, "float32"), LIGHT)
    return keras.ops.round((light + UPWARDS) / 1000)


def _probabilities(head: TrainedHead, features: Any) -> Any:
    """What ``TrainedHead.probabilities`` computes of the features, as layers."""
    values = keras.ops.cast(features, "float32")
    if head.network is not None:
        values = restore_network(head)(values, training=False)
    values = pooling_layer(head.pooling)(values)
    if head.feature_scale != 1:
        values = keras.layers.Rescaling(head.feature_scale, name="scale")(values)
    if head.unit_length:
        values = _of_unit_length(values)
    *hidden, last = zip(*layers_of(head), strict=True)
    for number, arrays in enumerate(hidden, start=1):
        values = _dense(*arrays, "relu", f"hidden{number}")(values)
    return _dense(*last, "softmax", "probabilities")(values)


def _distance(prototypes: NDArray[np.float32], features: Any) -> Any:
    """What ``TrainedHead.distances`` computes of the features, as layers: (batch, 1)."""
    count, channels = prototypes.shape
    values = keras.layers.Reshape((-1, channels), name="places")(keras.ops.cast(features, "float32"))
    means = keras.ops.mean(values, axis=1)
    roots = keras.ops.sign(means) * keras.ops.sqrt(keras.ops.abs(means))
    layer = keras.layers.EinsumDense("bv,vp->bp", output_shape=count, name="prototypes")
    layer.build((None, channels))
    layer.set_weights([np.ascontiguousarray(prototypes.T)])
    cosines = layer(_of_unit_length(roots))
    nearest, _ = keras.ops.top_k(cosines, min(NEIGHBOURS, count))
    return 1 - keras.ops.mean(nearest, axis=1, keepdims=True)


def _of_unit_length(rows: Any) -> Any:
    """Not by UnitNormalization, of which LiteRT makes an operation that gives NaN for a row of zeros."""
    lengths = keras.ops.sqrt(keras.ops.sum(keras.ops.square(rows), axis=1, keepdims=True))
    return rows / keras.ops.maximum(lengths, SHORTEST)


def _dense(kernel: NDArray[np.float32], bias: NDArray[np.float32], activation: str, name: str) -> Any:
    layer = keras.layers.Dense(len(bias), activation=activation, name=name)
    layer.build((None, len(kernel)))
    layer.set_weights([kernel, bias])
    return layer
