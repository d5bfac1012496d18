"""Keras networks from files, and the tensors inside them: nothing skipped, and errors that name the param."""

import difflib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from onepass.backbones.legacy_weights import load_legacy
from onepass.core import UserError, first_line
from onepass.params import LAST
from onepass.tensorflow import keras


def load_weights_into(network: Any, path: str, name: str) -> None:
    """Fills every weight of ``network``, which is called ``name``. UserError where the file does not fit."""
    try:
        with _nothing_skipped():
            if not load_legacy(network, path):
                network.load_weights(path)
    except Exception as error:  # of a damaged file h5py and Keras raise nearly every type there is
        raise UserError(f"backbone.weights: {path} does not fit {name} without its top: {first_line(error)}") from error


def load_keras_file(path: str) -> Any:
    """The network of a .keras file. UserError where it cannot be loaded."""
    try:
        with _nothing_skipped():
            # safe_mode: a .keras file is data from elsewhere and must not run code of its own.
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, KeyError, TypeError, UserWarning) as error:
        raise UserError(f"backbone.weights: {path} cannot be loaded: {first_line(error)}") from error


@contextmanager
def _nothing_skipped() -> Iterator[None]:
    """Keras only warns when it finds no weights for a layer, and leaves them random."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="(?s).*(Skipping|no matching group|not found|could not be loaded)")
        yield


def output_of(network: Any, name: str, key: str = "backbone.layer") -> Any:
    """The one tensor that the layer gives; ``last`` is the output of the whole network.

    Raises:
        UserError: no such layer, or several outputs; ``key`` is the parameter that is wrong.

    """
    names = [layer.name for layer in network.layers]
    if name == LAST:
        outputs = network.outputs
    elif name in names:
        layers = network.get_config()["layers"]
        (uses,) = (layer.get("inbound_nodes") or [1] for layer in layers if layer["config"]["name"] == name)
        output = network.get_layer(name).output
        outputs = [*uses] if len(uses) > 1 else output if isinstance(output, list | tuple) else [output]
    else:
        close = difflib.get_close_matches(name, names, n=5, cutoff=0.0)
        raise UserError(
            f"{key}: {name!r} given, which this network does not have; the most alike are: "
            f"{', '.join(close)}. Also allowed: last, {'input' if key == 'backbone.layer' else 'none'}."
        )
    if len(outputs) != 1:
        raise UserError(f"{key}: {name!r} given, which has {len(outputs)} outputs; allowed: one.")
    return outputs[0]
