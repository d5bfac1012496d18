"""Where a Keras network can be cut, and where it is worth trying to."""

from typing import Any

from onepass.tensorflow import keras

# What changes each value by itself: between a convolution and these nobody wants to cut.
BY_ITSELF = ("BatchNormalization", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "LayerNormalization")
# Of the way from the input to the deepest maps. Earlier cuts see less of what the network was trained to tell apart.
DEPTHS = (1, 15 / 16, 7 / 8, 3 / 4)


def cut_points(network: Any) -> list[str]:
    """The layers, from the input up, whose output is all that the layers above them see."""
    if isinstance(network, keras.Sequential):
        return [layer.name for layer in network.layers]
    nodes = {layer["config"]["name"]: layer["inbound_nodes"] for layer in network.get_config()["layers"]}
    last_reader = {parent: place for place, uses in enumerate(nodes.values()) for parent in _parents(uses)}
    cuts = []
    passing_by = 0  # the last layer that reads an output from below the present one
    for place, (name, uses) in enumerate(nodes.items()):
        if passing_by <= place and len(uses) == 1:  # the input has no use, a shared layer several
            cuts.append(name)
        passing_by = max(passing_by, last_reader.get(name, 0))
    return cuts


def _parents(node: Any) -> set[str]:
    """The layers whose outputs occur in a part of Keras's description of a network."""
    if isinstance(node, dict):
        history = node.get("keras_history")
        return {history[0]} if history else set().union(*map(_parents, node.values()))
    return set().union(*map(_parents, node)) if isinstance(node, list | tuple) else set()


def cuts_to_try(network: Any) -> list[str]:
    """A few layers with maps, (height, width, channels), from the deepest towards the input.

    Only where there are at least as many channels as anywhere before: narrower ones are on their way to become wide.
    """
    names = cut_points(network)
    layers = [network.get_layer(name) for name in names]
    followed = [*(type(layer).__name__ for layer in layers[1:]), ""]
    worth, widest = [], 0
    for layer, follower in zip(layers, followed, strict=True):
        channels = _channels(layer)
        if channels >= widest and channels and follower not in BY_ITSELF and "Padding" not in type(layer).__name__:
            worth.append(layer.name)
        widest = max(widest, channels)
    return list(dict.fromkeys(worth[int(depth * (len(worth) - 1))] for depth in DEPTHS)) if worth else []


def _channels(layer: Any) -> int:
    """Of the maps that a layer gives; 0 where it gives something else."""
    output = layer.output
    return output.shape[3] or 0 if isinstance(output, keras.KerasTensor) and len(output.shape) == 4 else 0
