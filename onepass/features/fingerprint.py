"""The fingerprint: everything that decides the features of an image. Two stores with one fingerprint hold rows
that can be mixed; with two fingerprints, never.
"""

from typing import Any

from onepass.backbones import Backbone
from onepass.engines import library_version
from onepass.params import INPUT
from onepass.photos import RESIZE_RECIPE, decoding_recipe, smallest_size


def fingerprint(backbone: Backbone, network: str) -> dict[str, Any]:
    """A readable fingerprint, found without TensorFlow.

    Args:
        network: digest of the network below the cut; ignored where the cut is the input.

    """
    decoding = decoding_recipe(smallest_size(backbone.decoding, backbone.side))
    pixels = {"decoding": decoding, "resize": RESIZE_RECIPE, "image_side": backbone.side}
    if backbone.layer == INPUT:
        return pixels | {"layer": INPUT, "color_mode": "grayscale" if backbone.channels == 1 else "rgb"}
    return pixels | {
        "architecture": backbone.architecture,
        "network": network,
        "layer": backbone.layer,
        "batch_norm": "folded into convolutions",
        "pooling": backbone.pooling,
        "preprocess": backbone.preprocess,
        "precision": backbone.precision,
        "runtime": backbone.engine.name,
        "versions": {name: library_version(name) for name in backbone.libraries},
    }
