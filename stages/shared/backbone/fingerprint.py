"""The fingerprint: everything that decides the features of an image. Two stores with one fingerprint hold
rows that can be mixed; with two fingerprints, never.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stages.shared.backbone.weights_file import resolved_preprocess
from stages.shared.errors import UserError
from stages.shared.params import INPUT, Backbone
from stages.shared.photos.decoding import recipe


def fingerprint(backbone: Backbone, side: int, network: str) -> dict[str, Any]:
    """A readable fingerprint, found without TensorFlow.

    Args:
        side: ``backbone.image_side`` in pixels.
        network: digest of the network below the cut; ignored where the cut is the input.

    """
    pixels = {
        "decoding": recipe(),
        "resize": "to a square, as keras.layers.Resizing: triangle filter, antialiased, float32, rounded once",
        "image_side": side,
    }
    if backbone.layer == INPUT:
        return pixels | {"layer": INPUT, "color_mode": backbone.color_mode}
    return pixels | {
        "architecture": "keras file" if backbone.weights.endswith(".keras") else backbone.name,
        "network": network,
        "layer": backbone.layer,
        "batch_norm": "folded into convolutions",
        "pooling": backbone.pooling,
        "preprocess": resolved_preprocess(backbone),
        "precision": backbone.precision,
        "runtime": backbone.runtime,
        "versions": {name: library_version(name) for name in sorted({"keras", "tensorflow", backbone.runtime})},
    }


def library_version(name: str) -> str:
    """The installed version of a runtime or of what it needs. UserError where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError as error:
        raise UserError(
            f"backbone.runtime: {name} given, which is not installed. Install it with `pip install '.[{name}]'` in "
            "the project's folder, or use backbone.runtime: tensorflow."
        ) from error
