"""Keras networks from files, and the tensors inside them: nothing skipped, and errors that name the param."""

import difflib
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from onepass.backbones.legacy_weights import load_legacy
from onepass.core import UserError, check_model_file, first_line, listed
from onepass.params import LAST
from onepass.tensorflow import import_what_needs_keras_hub, keras

ALIKE = 0.9  # of the layers of the smaller network, which may be cut, or have another top


def load_weights_into(network: Any, path: str, name: str) -> None:
    """Fills every weight of ``network``, which is called ``name``. UserError where the file does not fit."""
    check_model_file(Path(path), "backbone.weights")
    try:
        with nothing_skipped():
            if not load_legacy(network, path):
                network.load_weights(path)
    except Exception as error:  # of a damaged file h5py and Keras raise nearly every type there is
        what = _differences(network, path) or first_line(error)
        raise UserError(f"backbone.weights: {path} does not fit {name} without its top: {what}") from error


def load_keras_file(path: str) -> Any:
    """The network of a .keras file. UserError where it cannot be loaded."""
    check_model_file(Path(path), "backbone.weights")
    try:
        import_what_needs_keras_hub(Path(path))
        with nothing_skipped():
            # safe_mode: a .keras file is data from elsewhere and must not run code of its own.
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except UserError:
        raise
    except Exception as error:  # of a damaged description, too
        raise UserError(f"backbone.weights: {path} cannot be loaded: {first_line(error)}") from error


def check_alike(network: Any, expected: Any, name: str, path: str) -> None:
    """UserError: nearly all layers of the smaller of these two networks, by kind and shapes, should be in the other."""
    found, wanted = _layers(network), _layers(expected)
    shared = (found & wanted).total()
    if shared < ALIKE * min(found.total(), wanted.total()):
        raise UserError(
            f"backbone.name: {name} given, but the network in {path} is another one: of its {found.total()} layers "
            f"with weights, {shared} are like those of {name}, which has {wanted.total()}. Give the name of the "
            "network that it is; or backbone.name: custom, with the backbone.preprocess that it was trained with."
        )


def _layers(network: Any) -> Counter[tuple[Any, ...]]:
    """How many layers with weights there are of each kind and shapes, those of networks inside it included."""
    found: Counter[tuple[Any, ...]] = Counter()
    for layer in network.layers:
        if getattr(layer, "layers", None):
            found += _layers(layer)
        elif layer.weights:
            found[type(layer).__name__, *(tuple(weight.shape) for weight in layer.weights)] += 1
    return found


def _differences(network: Any, path: str) -> str:
    """Array by array, how a file in the form of Keras 3 differs from what the network would write; empty if not so."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            network.save_weights(Path(folder) / "expected.weights.h5")
            wanted, found = _shapes(Path(folder) / "expected.weights.h5"), _shapes(Path(path))
    except (OSError, ValueError, KeyError, RuntimeError):
        return ""
    if not any(name.startswith("layers/") for name in found):
        return ""
    lines = [
        f"{name}: expected {wanted[name]}, found {found.get(name, 'none')}"
        for name in wanted
        if found.get(name) != wanted[name]
    ]
    return f"{len(lines)} of {len(wanted)} arrays differ:\n{listed(lines)}" if lines else ""


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The arrays of an HDF5 file by name."""
    found: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item.shape

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return found


@contextmanager
def nothing_skipped() -> Iterator[None]:
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
