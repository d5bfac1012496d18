"""Features of many images for training: an array where they fit into memory, else a file read piece by piece."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.store.features import Store, read_features

IN_MEMORY = 128 << 20  # bytes; more is streamed
CHUNK = 1024  # rows that are copied at a time

Transform = Callable[[NDArray[Any]], NDArray[Any]]


class Streamed:
    """Rows of features in a temporary file without a name, read by their numbers as an array would give them."""

    def __init__(self, folder: Path, store: Store, keys: Sequence[str]) -> None:
        self._row = np.empty(store.shape, store.dtype)
        self._rows = len(keys)
        self._transform: Transform = np.asarray
        # Beside the features, because a machine's /tmp is often in its memory.
        self._file = tempfile.TemporaryFile(dir=folder.parent)  # noqa: SIM115 - lives as long as this object
        order = sorted(range(len(keys)), key=keys.__getitem__)  # part by part
        for start in range(0, len(order), CHUNK):
            numbers = order[start : start + CHUNK]
            for number, row in zip(numbers, read_features(folder, store, [keys[n] for n in numbers]), strict=True):
                os.pwrite(self._file.fileno(), row.tobytes(), number * self._row.nbytes)

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, *shape of a row), as for an array."""
        return (self._rows, *self[np.array([0])].shape[1:])

    def __getitem__(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """These rows, in this order."""
        rows = np.empty((len(numbers), *self._row.shape), self._row.dtype)
        for row, number in zip(rows, numbers.tolist(), strict=True):
            os.preadv(self._file.fileno(), [row.data], number * self._row.nbytes)
        return self._transform(rows)

    def through(self, transform: Transform) -> "Streamed":
        """The same rows, each piece changed by ``transform`` when it is read."""
        self._transform = transform
        return self


def load_features(folder: Path, store: Store, keys: Sequence[str], whole: bool) -> NDArray[Any] | Streamed:
    """The features of these rows, in this order.

    Args:
        whole: an array, however large.

    """
    size = len(keys) * int(np.prod(store.shape)) * np.dtype(np.float32).itemsize  # as the head takes them
    return read_features(folder, store, keys) if whole or size <= IN_MEMORY else Streamed(folder, store, keys)


def through(features: NDArray[Any] | Streamed, transform: Transform) -> NDArray[Any] | Streamed:
    """The features changed by ``transform``: at once, or when they are read."""
    return features.through(transform) if isinstance(features, Streamed) else transform(features)
