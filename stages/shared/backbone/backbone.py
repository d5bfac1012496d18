"""The whole network, loaded with its weights."""

import difflib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stages.shared.backbone.legacy_weights import load_legacy
from stages.shared.errors import UserError
from stages.shared.params import LAST, Backbone
from stages.shared.tensorflow import keras


def build_application(name: str, side: int) -> Any:
    """The network of keras.applications without its top and with random weights."""
    return getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3))


def load_network(backbone: Backbone, side: int) -> Any:
    """The whole network, with its weights, in float32. UserError where they cannot be read or do not fit."""
    path = backbone.weights
    return _from_keras_file(path) if path.endswith(".keras") else _with_weights(backbone, side)


def _with_weights(backbone: Backbone, side: int) -> Any:
    network = build_application(backbone.name, side)
    try:
        with _nothing_skipped():
            if not load_legacy(network, backbone.weights):
                network.load_weights(backbone.weights)
    except Exception as error:  # of a damaged file h5py and Keras raise nearly every type there is
        raise UserError(
            f"backbone.weights: {backbone.weights} does not fit {backbone.name} without its top: {first_line(error)}"
        ) from error
    return network


def _from_keras_file(path: str) -> Any:
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


def first_line(error: Exception) -> str:
    """What an error of a library says before it goes into detail."""
    return next(iter(str(error).splitlines()), type(error).__name__)


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
