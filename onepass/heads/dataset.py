"""What a head is trained on: features with their classes, in memory or, where they do not fit, in a file."""

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import HashList, RowFile
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
    """Rows of features in a temporary file, read by their numbers as an array would give them."""

    def __init__(self, folder: Path, store: Store, keys: HashList) -> None:
        self._rows = len(keys)
        self._transform: Transform = np.asarray
        self._file = RowFile(folder.parent, store.shape, store.read_as)
        order = np.argsort(keys.packed)  # part by part
        for start in range(0, len(order), COPIED):
            numbers = order[start : start + COPIED]
            self._file.write(numbers, read_features(folder, store, HashList(keys.packed[numbers])))

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, *shape of a row), as for an array."""
        return (self._rows, *self[np.array([0])].shape[1:])

    def __getitem__(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """These rows, in this order."""
        return self._transform(self._file.read(numbers))

    def through(self, transform: Transform) -> "FeatureFile":
        """The same rows, each piece changed by ``transform`` when it is read."""
        changed = copy(self)
        changed._transform = lambda rows: transform(self._transform(rows))
        return changed


def make_dataset(
    folder: Path, store: Store, keys: HashList, labels: NDArray[np.int64], views: int, whole: bool
) -> Dataset:
    """The features of some images with their classes.

    Args:
        folder: of the store.
        keys: of their rows: those of the views of the first image, of the second, and so on.
        labels: the number of the class of each image.
        views: of each image.
        whole: in memory, however large.

    """
    size = len(keys) * int(np.prod(store.shape)) * np.dtype(np.float32).itemsize  # as the head takes them
    features: Any = (
        read_features(folder, store, keys) if whole or size <= IN_MEMORY else FeatureFile(folder, store, keys)
    )
    return Dataset(features, np.repeat(labels, views), np.repeat(np.arange(len(labels)), views))


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
