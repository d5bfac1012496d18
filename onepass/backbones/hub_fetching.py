"""Presets that Keras Hub knows by name: downloaded once, by whoever is the first of a team to want one.

Keras Hub downloads it (or finds it in its own folder). What is written here is checked: loaded again, it must give the
features of the network that was fetched.
"""

import difflib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.backbones.hub_loading import load_preset, part_that_sees
from onepass.core import UserError, first_line
from onepass.tensorflow import keras, keras_hub

LARGEST_DIFFERENCE = 1e-5  # relative to the largest feature: the same network, computed twice
WITHOUT_A_SIDE = 64  # pixels, of the image by which a network for any side is compared
METADATA = "metadata.json"  # says when it was saved, and nothing that is needed


def fetch_preset(name: str, out: Path) -> None:
    """Writes a preset that Keras Hub knows by name into a folder, whole or not at all.

    Raises:
        UserError: there is none of this name, it cannot be fetched, it sees no images; or Keras Hub is not here.

    """
    hub = keras_hub()
    known = sorted(hub.models.Backbone.presets)
    if name not in known:
        close = ", ".join(difflib.get_close_matches(name, known, n=5, cutoff=0.0))
        raise UserError(
            f"Keras Hub {hub.__version__} has no preset {name}; the most alike are: {close}. One that you have saved "
            "yourself becomes a part of the repository by `python -m onepass weights add FOLDER`."
        )
    # The numbers in the names of unnamed layers start anew: the same preset has the same bytes.
    keras.utils.clear_session(free_memory=False)
    try:
        network = hub.models.Backbone.from_preset(name)
        converter = hub.layers.ImageConverter.from_preset(name)
    except Exception as error:  # of a download that fails there may be any
        raise UserError(
            f"the preset {name} could not be fetched ({type(error).__name__}: {first_line(error)}). Do one of these:\n"
            "  - fetch what your team has: dvc pull\n"
            f'  - where there is a network, run: python -c "import keras_hub; '
            f"keras_hub.models.Backbone.from_preset('{name}').save_to_preset('{name}'); "
            f"keras_hub.layers.ImageConverter.from_preset('{name}').save_to_preset('{name}')\", bring the folder here, "
            f"and run: python -m onepass weights add /path/to/{name}"
        ) from error
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        network.save_to_preset(unfinished)
        converter.save_to_preset(unfinished)
        (unfinished / METADATA).unlink()
        check(name, network, unfinished)
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def check(name: str, network: Any, folder: Path) -> None:
    """UserError: the network that was written gives other features for a random image than the one fetched."""
    fetched = part_that_sees(network, folder)
    side = fetched.inputs[0].shape[1] or WITHOUT_A_SIDE
    image = np.random.default_rng(0).uniform(0, 1, (1, side, side, 3)).astype(np.float32)
    expected, found = (_features(one, image) for one in (fetched, load_preset(folder, side, side)))
    difference = float(np.abs(expected - found).max() / (np.abs(expected).max() + 1e-12))
    if not difference < LARGEST_DIFFERENCE:
        raise UserError(
            f"the preset {name}, saved and loaded again, gives features that differ by {difference:.2g}; expected "
            f"below {LARGEST_DIFFERENCE:g}. This version of Keras Hub is not supported: please report it."
        )


def _features(network: Any, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """All that the network gives, in a row."""
    outputs = keras.Model(network.inputs[0], network.outputs)(image, training=False)
    return np.concatenate([np.ravel(output) for output in outputs])
