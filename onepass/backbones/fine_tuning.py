"""Fine-tuning: the layers of a Keras network above the cut, to be trained from their pretrained weights.

Training them on stored maps is the same as training the whole network with its trunk frozen, if all that they see
of an image passes through the cut.
"""

from typing import Any

from onepass.backbones.backbone import Backbone
from onepass.backbones.cut_points import cut_points
from onepass.backbones.keras_loading import output_of
from onepass.core import UserError
from onepass.params import LAST
from onepass.tensorflow import keras


def layers_above(backbone: Backbone, network: Any, last: str, train_batch_norm: bool) -> Any:
    """A Keras model from maps (batch, height, width, channels) to the output of ``last``.

    Args:
        network: the whole one; its layers are used, not copied.
        last: ``train.unfreeze``, a layer above the cut, or LAST.
        train_batch_norm: else batch normalisation keeps its pretrained statistics and weights.

    Raises:
        UserError: something passes the cut by, or ``last`` is no layer above it.

    """
    names = [layer.name for layer in network.layers]
    (cut,) = backbone.layers
    start = output_of(network, cut)
    cuts = cut_points(network)
    if cut not in cuts:
        place = names.index(cut)
        below = [name for name in cuts if names.index(name) < place][-1:] or ["none"]
        above = [name for name in cuts if names.index(name) > place][:1] or ["none"]
        raise UserError(
            f"backbone.layer: {cut} given, which another path passes by, so that the layers above it "
            f"cannot be trained on its features alone; the nearest cut below is {below[0]}, above {above[0]}."
        )
    end = output_of(network, last, "train.unfreeze")
    if last != LAST and names.index(last) <= names.index(cut):
        raise UserError(
            f"train.unfreeze: {last} given, which is not above backbone.layer: {cut}; allowed: "
            f"none, last, {', '.join(names[names.index(cut) + 1 :])}"
        )
    if isinstance(network, keras.Sequential):  # loaded from a file, its layers are linked several times over
        place = len(names) - 1 if last == LAST else names.index(last)
        above = network.layers[names.index(cut) + 1 : place + 1]
        unfrozen = keras.Sequential([keras.Input(start.shape[1:]), *above], name="unfrozen")
    else:
        unfrozen = keras.Model(start, end, name="unfrozen")
    unfrozen.trainable = True
    for layer in _all_layers(unfrozen):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = train_batch_norm
    return unfrozen


def _all_layers(model: Any) -> list[Any]:
    """Every layer, those of networks inside the network too."""
    return [inner for layer in model.layers for inner in (_all_layers(layer) if hasattr(layer, "layers") else [layer])]
