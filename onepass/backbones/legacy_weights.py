"""Weights files that are older than Keras 3, recognised by what is in them and not by their name.

Keras 1 and 2  the attribute layer_names, and a group a layer with the attribute weight_names; in the file of a
               whole model all that is inside a group model_weights
Keras 0        groups layer_0, layer_1, ... with the datasets param_0, param_1, ...; layers without weights count
               too, and kernels are Theano's: (out, in, rows, columns), turned by 180 degrees

What follows the network's last layer in the file (the top) is ignored. Such a file is data from elsewhere:
it has passed ``check_model_file``, which refuses links and what claims more than its size, and nothing is
read before its shape is known to fit.
"""

import re
from itertools import count, takewhile
from math import prod
from typing import Any, NamedTuple

import h5py
import numpy as np

LARGEST_ATTRIBUTE = 1 << 16  # bytes
TURNING_BACKEND = "theano"  # it convolves where the others correlate: the same kernel, turned by 180 degrees


class Saved(NamedTuple):
    """A layer of the file that has weights."""

    name: str
    weights: list[Any]  # h5py datasets


def load_legacy(network: Any, path: str) -> bool:
    """Fills every weight of ``network`` from a file older than Keras 3; False, and nothing, if Keras 3 wrote it.

    Args:
        network: a Keras model, its layers not nested, channels last.

    Raises:
        ValueError: the file is of no known kind, or the first layer that does not fit, with both shapes.
        Exception: the file is damaged; h5py raises nearly every type there is.

    """
    with h5py.File(path, "r") as file:
        members = set(file)
        root = _member(file, "model_weights", h5py.Group) if "model_weights" in members else file
        if names := _names(root, "layer_names"):
            _fill(network, _layers_by_name(root, names), theano=False)
        elif "layer_0" in members:
            _fill(network, _layers_by_number(file), theano=True)
        elif "layers" not in members:
            raise ValueError(
                "expected what Keras 3 (layers), Keras 1 and 2 (layer_names) or Keras 0 (layer_0) write, found "
                f"the groups {sorted(members)[:5]} and the attributes {sorted(file.attrs)[:5]}"
            )
        elif not path.endswith(".weights.h5"):
            raise ValueError("Keras 3 wrote it and reads it only under a name that ends in .weights.h5; rename it")
        else:
            return False
    return True


def _layers_by_name(root: Any, names: list[str]) -> list[Saved]:
    """The layers of Keras 1 and 2 that have weights, in the order of the network that was saved."""
    if len(set(names)) < len(names):
        raise ValueError("its attribute layer_names names a layer twice")
    if TURNING_BACKEND in _names(root, "backend"):
        raise ValueError("Keras wrote it with Theano, which turns kernels; give the file made with TensorFlow")
    groups = [(name, _member(root, name, h5py.Group)) for name in names]
    layers = [
        Saved(name, [_dataset(group, weight) for weight in _names(group, "weight_names")]) for name, group in groups
    ]
    return [layer for layer in layers if layer.weights]


def _layers_by_number(file: Any) -> list[Saved]:
    """The layers of Keras 0 that have weights, in order."""
    groups = [(name, _member(file, name, h5py.Group)) for name in _numbered(file, "layer", "nb_layers")]
    layers = [
        Saved(name, [_dataset(group, param) for param in _numbered(group, "param", "nb_params")])
        for name, group in groups
    ]
    return [layer for layer in layers if layer.weights]


def _numbered(group: Any, prefix: str, total: str) -> list[str]:
    """prefix_0, prefix_1, ... by number: HDF5 lists prefix_10 before prefix_9."""
    numbers = sorted(int(name.rpartition("_")[2]) for name in group if re.fullmatch(f"{prefix}_[0-9]+", name))
    expected = int(_attribute(group, total)) if total in group.attrs else len(numbers)
    if numbers != list(range(len(numbers))) or expected != len(numbers):
        raise ValueError(
            f"{group.name}: expected {expected} members {prefix}_0, {prefix}_1, ..., "
            f"found {len(numbers)}, the last of them {prefix}_{max(numbers, default='none')}"
        )
    return [f"{prefix}_{number}" for number in numbers]


def _names(group: Any, attribute: str) -> list[str]:
    """An attribute that is a list of names; Keras splits a long one into attribute0, attribute1, ..."""
    parts = takewhile(lambda key: key in group.attrs, (f"{attribute}{number}" for number in count()))
    keys = [attribute] if attribute in group.attrs else parts
    names = [name for key in keys for name in np.ravel(_attribute(group, key))]
    if not all(isinstance(name, str | bytes) for name in names):
        raise ValueError(f"{group.name}: expected a list of names as its attribute {attribute}")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _attribute(group: Any, name: str) -> Any:
    """The value of an attribute, unless it is larger than Keras writes: h5py makes room for whatever a file claims."""
    about = group.attrs.get_id(name)
    size = prod(about.shape or ()) * about.dtype.itemsize
    if size > LARGEST_ATTRIBUTE:
        raise ValueError(f"{group.name}: its attribute {name} claims {size:,} bytes; allowed: {LARGEST_ATTRIBUTE:,}")
    return group.attrs[name]


def _member(group: Any, path: str, kind: type) -> Any:
    """What lies below a group."""
    member = group
    for name in path.split("/"):
        if not isinstance(member, h5py.Group) or not member.id.links.exists(name.encode()):
            raise ValueError(f"{group.name} should have a member {path}, and has none")
        member = member[name]
    if not isinstance(member, kind):
        raise ValueError(f"{path} in {group.name}: expected a {kind.__name__}, found a {type(member).__name__}")
    return member


def _dataset(group: Any, path: str) -> Any:
    """An array of numbers below a group, not read yet."""
    dataset = _member(group, path, h5py.Dataset)
    if dataset.dtype.kind not in "fiu":
        raise ValueError(f"{dataset.name}: expected numbers, found {dataset.dtype}")
    return dataset


def _fill(network: Any, saved: list[Saved], *, theano: bool) -> None:
    """Every weight of every layer, once."""
    for layer, found in _pairs([layer for layer in network.layers if layer.weights], saved):
        kind = type(layer).__name__
        if kind == "Normalization":
            raise ValueError(
                "Keras scales the input once more where it loads the published weights of this network; "
                "give data/imagenet/<backbone.name>.weights.h5, which is fetched with that scale in it"
            )
        if theano and kind != "Conv2D":
            raise ValueError(f"layer {layer.name} is a {kind}; of a file of Keras 0 only Conv2D is understood")
        variables = [*layer.trainable_weights, *layer.non_trainable_weights]  # the order of old files
        expected = [_theano_shape(variable.shape) if theano else tuple(variable.shape) for variable in variables]
        shapes = [dataset.shape for dataset in found.weights]
        if shapes != expected:
            raise ValueError(f"layer {layer.name}: expected the shapes {expected}, found {shapes} in {found.name}")
        for variable, dataset in zip(variables, found.weights, strict=True):
            array = dataset[()].astype(np.float32)
            if not np.isfinite(array).all():
                raise ValueError(f"layer {layer.name}: {dataset.name} has values that are not finite")
            variable.assign(array[:, :, ::-1, ::-1].transpose(2, 3, 1, 0) if theano and array.ndim == 4 else array)


def _pairs(layers: list[Any], saved: list[Saved]) -> list[tuple[Any, Saved]]:
    """Each layer of the network with its layer of the file: by name if the file has all names, else by order."""
    places = {layer.name: place for place, layer in enumerate(saved)}
    by_name = all(layer.name in places for layer in layers)
    order = [places[layer.name] for layer in layers] if by_name else list(range(len(layers)))
    if len(saved) < len(layers):
        raise ValueError(
            f"layer {layers[len(saved)].name}: expected weights, found none: "
            f"the file has {len(saved)} layers with weights, the network {len(layers)}"
        )
    if between := sorted(set(range(max(order))) - set(order)):
        raise ValueError(f"the file has the layer {saved[between[0]].name}, which the network has not")
    return [(layer, saved[place]) for layer, place in zip(layers, order, strict=True)]


def _theano_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(rows, columns, in, out) as Theano orders it; a bias stays what it is."""
    return (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else tuple(shape)
