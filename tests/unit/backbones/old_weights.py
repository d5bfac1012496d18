"""Writes weights files as Keras did before Keras 3."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

DENSE = [np.ones((8, 4), np.float32), np.ones(4, np.float32)]


def write_by_number(path: Path, network: Any, counts: bool = True) -> None:
    """As Keras 0 wrote vgg16_weights.h5: padding before each convolution, pooling, and the dense layers."""
    layers: list[list[NDArray[np.float32]]] = []
    for layer in network.layers:
        if arrays := layer.get_weights():
            layers += [[], [np.transpose(arrays[0], (3, 2, 0, 1))[:, :, ::-1, ::-1], arrays[1]]]
        elif "pool" in layer.name:
            layers.append([])
    with h5py.File(path, "w") as file:
        for number, arrays in enumerate([*layers, [], DENSE, [], DENSE]):
            group = file.create_group(f"layer_{number}")
            for place, array in enumerate(arrays):
                group[f"param_{place}"] = array
            if counts:
                group.attrs["nb_params"] = len(arrays)
        if counts:
            file.attrs["nb_layers"] = len(layers) + 4


def write_by_name(path: Path, network: Any, inside: str = "/") -> None:
    """As Keras 1 and 2 wrote it, by what Keras 3 still has of that."""
    from onepass.tensorflow import keras

    with h5py.File(path, "w") as file:
        keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file.require_group(inside), network)


def add_top(path: Path, name: str = "fc1") -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["layer_names"] = [*file.attrs["layer_names"], name]
        group = file.create_group(name)
        group.attrs["weight_names"] = ["kernel:0", "bias:0"]
        group["kernel:0"], group["bias:0"] = DENSE
