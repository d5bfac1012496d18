"""What a head may have below its dense layers: convolutions from scratch, and pooling."""

from typing import Any

from stages.shared.errors import UserError
from stages.shared.params import Head
from stages.shared.tensorflow import keras


def convolutions(head: Head, shape: list[int], scale: float) -> Any:
    """The convolutions of a cnn head: maps (batch, height, width, channels) to smaller maps.

    Raises:
        UserError: features without height and width, or too small to be halved that often.

    """
    filters = head.filters if isinstance(head.filters, list) else [head.filters]
    if len(shape) != 3 or min(shape[:2]) < 2 ** len(filters):
        raise UserError(
            f"head.kind: cnn with head.filters: {filters} given for features of the shape {tuple(shape)}; expected "
            f"(height, width, channels) of at least {2 ** len(filters)} by {2 ** len(filters)}, to be halved "
            f"{len(filters)} times. Give fewer filters, a larger backbone.image_side, or backbone.pooling: none."
        )
    layers = [keras.Input(shape, name="maps"), keras.layers.Rescaling(scale, name="rescale")]
    for number, count in enumerate(filters, start=1):
        convolution = keras.layers.Conv2D(count, 3, padding="same", activation="relu", name=f"conv{number}")
        layers += [convolution, keras.layers.MaxPooling2D(2, name=f"halve{number}")]
    return keras.Sequential(layers, name="convolutions")


def pooling_layer(pooling: str) -> Any:
    """Maps to one value a channel, or to all values in a row."""
    if pooling == "none":
        return keras.layers.Flatten(name="flatten")
    kind = keras.layers.GlobalAveragePooling2D if pooling == "avg" else keras.layers.GlobalMaxPooling2D
    return kind(name=f"pool_{pooling}")


def describe(network: Any) -> dict[str, Any]:
    """Keras's description of the layers, as JSON can hold it."""
    description: dict[str, Any] = keras.saving.serialize_keras_object(network)
    return description
