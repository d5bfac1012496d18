"""Fetches the ImageNet weights of a network of keras.applications once, for the whole team.

Keras downloads the file (or finds it in its own folder), checks it, and loads it. What is written here is
checked again: loaded into the plain network, it must give the features of the network that Keras made.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from onepass.backbones import APPLICATIONS, build_application, check_backbone
from onepass.core import UserError, run_stage, write_atomically
from onepass.params import BackboneParams, read_params

LARGEST_DIFFERENCE = 1e-3  # relative to the largest feature: float32 rounding in hundreds of layers


def main(out: Path) -> None:
    backbone = read_params().read(BackboneParams)
    check_backbone(backbone)
    if Path(backbone.weights).parent != out:
        write_atomically(out / "NONE.txt", b"backbone.weights is not in this folder: no ImageNet weights are in use.\n")
        return
    wanted = out / f"{backbone.name}.weights.h5"
    if Path(backbone.weights) != wanted:
        raise UserError(f"backbone.weights: {backbone.weights} given; allowed here for {backbone.name}: {wanted}.")
    fetch_weights(backbone.name, wanted)


def fetch_weights(name: str, out: Path) -> None:
    """Writes the weights of a network of keras.applications, without its top, and checks what was written."""
    side = APPLICATIONS[name].image_side
    fetched = fetch(name, out)
    plain = build_application(name, side)
    plain.set_weights(fetched.get_weights())
    fold_rescaling(fetched, plain)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved.weights.h5"
        plain.save_weights(saved)
        again = build_application(name, side)
        again.load_weights(saved)
        check(name, fetched, again, side)
        write_atomically(out, saved.read_bytes())
    print(f"{out}: ImageNet weights of {name}, {fetched.count_params():,} parameters")


def fetch(name: str, out: Path) -> Any:
    """The network with its ImageNet weights. UserError says which file is wanted, and the ways to get it."""
    from onepass.tensorflow import keras  # noqa: PLC0415 - imports TensorFlow

    try:
        return getattr(keras.applications, name)(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        url = next(iter(re.findall(r"https?://[^\s:]+", str(error))), "")
        place = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
        wanted = url.rsplit("/", 1)[-1] or f"the weights of {name} without its top"
        raise UserError(
            f"{wanted} could not be fetched ({type(error).__name__}: {error}). Do one of these:\n"
            f"  - fetch what your team has: dvc pull {out}\n"
            f"  - download {url or wanted} elsewhere, put it into {place} and run again "
            "(a file of that name that is there already is damaged: delete it)\n"
            "  - give a file of your own: backbone.weights: /path/to/NAME.weights.h5 or NAME.keras"
        ) from error


def fold_rescaling(fetched: Any, plain: Any) -> None:
    """Carries EfficientNet's extra scaling, which Keras adds for ImageNet weights only, over to ``plain``.

    Keras puts a Rescaling behind the input normalisation when weights="imagenet" and nothing otherwise, so the
    same weights in the plain network would give other features. (x - mean) / sqrt(v) * s is
    (x - mean) / sqrt(v / s**2): the scale goes into the variance.
    """
    scales, plain_scales = ([layer.scale for layer in _layers(network, "Rescaling")] for network in (fetched, plain))
    if len(scales) > len(plain_scales):
        normalization = _layers(plain, "Normalization")[0]
        mean, variance, count = normalization.get_weights()
        normalization.set_weights([mean, variance / np.square(scales[-1]), count])


def _layers(network: Any, kind: str) -> list[Any]:
    return [layer for layer in network.layers if type(layer).__name__ == kind]


def check(name: str, fetched: Any, again: Any, side: int) -> None:
    """The written weights give the features of the fetched network on one random image."""
    pixels = np.random.default_rng(0).uniform(0, 255, (1, side, side, 3)).astype(np.float32)
    expected, found = (np.asarray(network(pixels, training=False)) for network in (fetched, again))
    difference = float(np.abs(expected - found).max() / (np.abs(expected).max() + 1e-12))
    if not difference < LARGEST_DIFFERENCE:
        raise UserError(
            f"the weights of {name}, saved and loaded again, give features that differ by {difference:.2g}; "
            f"expected below {LARGEST_DIFFERENCE:g}. This version of Keras is not supported: please report it."
        )


if __name__ == "__main__":
    run_stage(main)
