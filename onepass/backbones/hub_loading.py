"""Presets of Keras Hub as Keras models of one input."""

import inspect
from pathlib import Path
from typing import Any

from onepass.backbones.keras_loading import nothing_skipped
from onepass.core import UserError, check_model_file, first_line, listed
from onepass.params import LAST
from onepass.tensorflow import keras, keras_hub

KEY = "backbone.weights"
OF_EVERY_LAYER = {"name", "trainable", "dtype"}


def load_preset(folder: Path, side: int, made_for: int | None) -> Any:
    """The Keras Hub backbone of a preset, or its part that sees, from images (batch, side, side, 3).

    Args:
        folder: with config.json and the weights.
        side: pixels of the images.
        made_for: for which side it was made; None: for any.

    Raises:
        UserError: it is damaged, made for another side, or sees no images; or Keras Hub is not here.

    """
    hub = keras_hub()
    for file in sorted(folder.glob("*.h5")):
        check_model_file(file, KEY)
    another = {} if made_for in (None, side) else {"image_shape": (side, side, 3)}
    try:
        with nothing_skipped():
            # An absolute path: no name that Keras Hub would download. float32, whatever the weights were saved in.
            network = hub.models.Backbone.from_preset(str(folder.absolute()), dtype="float32", **another)
    except Exception as error:  # of a damaged preset Keras raises nearly every type there is
        why = f" for image_side: {side}, where it was made for {made_for}" if another else ""
        raise UserError(f"{KEY}: {folder} cannot be loaded{why}: {first_line(error)}") from error
    return part_that_sees(network, folder)


def part_that_sees(network: Any, folder: Path) -> Any:
    """The network, or, of one that reads text too, its part that takes images. UserError: there is none."""
    for part in (network, *network.layers):
        shapes = [one.shape for one in part.inputs] if isinstance(part, keras.Model) else []
        if len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][3] == 3:
            return part
    found = ", ".join(f"{one.name} {tuple(one.shape)}" for one in network.inputs)
    raise UserError(f"{KEY}: {folder} has the inputs {found}; expected one, of RGB images.")


def in_layers(network: Any, *cuts: str) -> Any:
    """A plain Keras model of the layers of a backbone. UserError: it is cut inside, and they cannot be saved singly."""
    inside = [layer for layer in cuts if layer != LAST]
    if inside and (unsaved := unsaved_layers(network)):
        raise UserError(
            f"backbone.layer: {inside[0]} given, but this version of Keras Hub cannot save each layer of this network "
            f"by itself; allowed: {LAST}. It says:\n{listed(unsaved)}"
        )
    return keras.Model(network.inputs[0], network.outputs, name="preset")


def unsaved_layers(network: Any) -> list[str]:
    """The layers that cannot be saved singly, each with what is wrong."""
    return [said for layer in network.layers if (said := _problem_of_saving(layer))]


def in_one_piece(network: Any) -> Any:
    """A Keras model with the whole backbone for a layer, which Keras Hub can save whatever its layers are."""
    image = keras.Input(network.inputs[0].shape[1:], name="image")
    return keras.Model(image, network({network.inputs[0].name: image} if isinstance(network.input, dict) else image))


def _problem_of_saving(layer: Any) -> str:
    """What is wrong with the layer's description of itself; empty where another can be made of it.

    Some layers tell numbers that they compute themselves and do not take again: these are left out from now on.
    """
    try:
        config = layer.get_config()
        taken = inspect.signature(type(layer).__init__).parameters
        known = {key: value for key, value in config.items() if key in taken or key in OF_EVERY_LAYER}
        if len(known) < len(config) and type(layer).__module__.startswith("keras_hub."):
            layer.get_config = lambda: dict(known)
        type(layer).from_config(layer.get_config())
    except Exception as error:  # noqa: BLE001 - whatever it is, such a layer cannot be saved
        return f"{layer.name}: {first_line(error)}"
    return ""
