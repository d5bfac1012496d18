"""The tail: the layers of the backbone above the cut, to be trained from their pretrained weights.

Fine-tuning them on stored maps is the same as fine-tuning the whole network with its trunk frozen, if all
that the tail sees of an image passes through the cut.
"""

from typing import Any

from stages.shared.backbone.backbone import load_network, output_of
from stages.shared.errors import UserError
from stages.shared.params import LAST, Backbone, Train
from stages.shared.tensorflow import keras


def load_tail(backbone: Backbone, train: Train, side: int) -> Any:
    """A Keras model from maps (batch, height, width, channels) to the output of ``train.unfreeze``.

    Raises:
        UserError: something passes the cut by, or ``train.unfreeze`` is no layer above it.

    """
    network = load_network(backbone, side)
    names = [layer.name for layer in network.layers]
    start = output_of(network, backbone.layer)
    cuts = cut_points(network)
    if backbone.layer not in cuts:
        place = names.index(backbone.layer)
        below = [name for name in cuts if names.index(name) < place][-1:] or ["none"]
        above = [name for name in cuts if names.index(name) > place][:1] or ["none"]
        raise UserError(
            f"backbone.layer: {backbone.layer} given, which another path passes by, so that the layers above it "
            f"cannot be trained on its features alone; the nearest cut below is {below[0]}, above {above[0]}."
        )
    end = output_of(network, train.unfreeze, "train.unfreeze")
    if train.unfreeze != LAST and names.index(train.unfreeze) <= names.index(backbone.layer):
        raise UserError(
            f"train.unfreeze: {train.unfreeze} given, which is not above backbone.layer: {backbone.layer}; allowed: "
            f"none, last, {', '.join(names[names.index(backbone.layer) + 1 :])}"
        )
    if isinstance(network, keras.Sequential):  # loaded from a file, its layers are linked several times over
        last = len(names) - 1 if train.unfreeze == LAST else names.index(train.unfreeze)
        above = network.layers[names.index(backbone.layer) + 1 : last + 1]
        tail = keras.Sequential([keras.Input(start.shape[1:]), *above], name="tail")
    else:
        tail = keras.Model(start, end, name="tail")
    tail.trainable = True
    for layer in _all_layers(tail):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = train.batch_norm == "trained"
    return tail


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


def _all_layers(model: Any) -> list[Any]:
    """Every layer, those of networks inside the network too."""
    return [inner for layer in model.layers for inner in (_all_layers(layer) if hasattr(layer, "layers") else [layer])]
