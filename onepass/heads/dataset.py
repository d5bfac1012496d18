"""What a head is trained on: features with their classes, in memory or, where they do not fit, in a file."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.features import Store, read_features

IN_MEMORY = 128 << 20  # bytes; more lies in a file
COPIED = 1024  # rows at a time

Transform = Callable[[NDArray[Any]], NDArray[Any]]


class Dataset(NamedTuple):
    """Features of one split with their classes. With augmented views an image has several rows."""

    features: Any  # (rows, *shape), to be read by the numbers of rows: an array, or FeatureFile
    labels: NDArray[np.int64]  # (rows,), numbers of classes
    images: NDArray[np.int64]  # (rows,), number of the image that a row shows


class FeatureFile:
    """Rows of features in a temporary file without a name, read by their numbers as an array would give them."""

    def __init__(self, folder: Path, store: Store, keys: Sequence[str]) -> None:
        self._row = np.empty(store.shape, store.read_as)
        self._rows = len(keys)
        self._transform: Transform = np.asarray
        # Beside the features, because a machine's /tmp is often in its memory.
        self._file = tempfile.TemporaryFile(dir=folder.parent)  # noqa: SIM115 - lives as long as this object
        order = sorted(range(len(keys)), key=keys.__getitem__)  # part by part
        for start in range(0, len(order), COPIED):
            numbers = order[start : start + COPIED]
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

    def through(self, transform: Transform) -> "FeatureFile":
        """The same rows, each piece changed by ``transform`` when it is read."""
        self._transform = transform
        return self


def make_dataset(
    folder: Path, store: Store, keys: Sequence[Sequence[str]], labels: Sequence[int], whole: bool
) -> Dataset:
    """The features of these images with their classes.

    Args:
        folder: of the store.
        keys: of the rows of each image: its own, and those of its views.
        labels: the number of the class of each image.
        whole: in memory, however large.

    """
    flat = [key for of_image in keys for key in of_image]
    counts = [len(of_image) for of_image in keys]
    size = len(flat) * int(np.prod(store.shape)) * np.dtype(np.float32).itemsize  # as the head takes them
    features: Any = (
        read_features(folder, store, flat) if whole or size <= IN_MEMORY else FeatureFile(folder, store, flat)
    )
    return Dataset(features, np.repeat(np.array(labels, np.int64), counts), np.repeat(np.arange(len(keys)), counts))


def transformed(data: Dataset, transform: Transform) -> Dataset:
    """The features changed by ``transform``: at once, or when they are read."""
    features = data.features
    changed = features.through(transform) if isinstance(features, FeatureFile) else transform(features)
    return data._replace(features=changed)


def weight_of_class(given: str, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """For each class what its images count: all the same, or, balanced, so that every class counts the same in total.

    Args:
        given: none | balanced.
        labels: (rows,), every class at least once.

    """
    counts = np.bincount(labels)
    return np.ones(len(counts)) if given == "none" else len(labels) / (len(counts) * counts)
