"""The fingerprint: what the features of an image mean. With two fingerprints rows are never mixed; with one they are,
where they come from one environment or agree (see ``versions`` and ``agreement``).
"""

from typing import Any

from onepass.backbones import Backbone, described
from onepass.features.versions import DECODER
from onepass.params import INPUT, NONE
from onepass.photos import RESIZE_RECIPES, decoding_recipe, smallest_size


def fingerprint(backbone: Backbone, network: str) -> dict[str, Any]:
    """A readable fingerprint, found without TensorFlow.

    Args:
        backbone: cut after one layer; of several ``side_by_side`` makes one fingerprint.
        network: digest of the network below the cut; ignored where the cut is the input.

    """
    pixels = pixel_fingerprint(backbone)
    pixels["decoding"]["decoder"] = DECODER  # not its version
    if not backbone.has_network:
        return pixels | {"layer": INPUT, "color_mode": "grayscale" if backbone.channels == 1 else "rgb"}
    (layer,) = backbone.layers
    of_tokens = backbone.pooling != NONE and backbone.special_tokens != 1  # which all had before it was a param
    return {
        **pixels,
        **({"special_tokens": backbone.special_tokens} if of_tokens else {}),
        "architecture": backbone.architecture,
        "network": network,
        "layer": layer,
        "batch_norm": "folded into convolutions",
        "pooling": backbone.pooling,
        "preprocess": described(backbone.preprocess),
        "precision": backbone.precision,
        "runtime": backbone.engine.name,
        "storage": backbone.storage,
    }


def pixel_fingerprint(backbone: Backbone) -> dict[str, Any]:
    """Everything that decides which pixels of an image a backbone is given, and the version of the decoder."""
    decoding = decoding_recipe(smallest_size(backbone.decoding, backbone.framing.resized))
    crop = {} if backbone.crop is None else {"crop": backbone.crop}
    return {"decoding": decoding, "resize": RESIZE_RECIPES[backbone.interpolation], "image_side": backbone.side, **crop}
