"""A map of the photos: in the plane in which their features differ most (principal components)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 400  # photos on it: those at even steps, which is a draw by lot where they come in order of their hashes


class Place(NamedTuple):
    """Where a photo lies."""

    number: int  # of the photo
    x: float  # 0..1
    y: float


def photo_map(vectors: NDArray[np.float32]) -> list[Place]:
    """The places of some photos, from left to right.

    Args:
        vectors: (photos, values), the directions of their features.

    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    numbers = np.linspace(0, len(vectors) - 1, min(MOST, len(vectors))).astype(np.intp)
    away = vectors[numbers].astype(np.float64)
    away -= away.mean(axis=0)
    with threadpool_limits(1):  # for the same bits on any number of cores
        squares, axes = np.linalg.eigh(away @ away.T)  # few photos of many values
    planes = axes[:, ::-1][:, :2] * np.sqrt(np.maximum(squares[::-1][:2], 0))
    planes = np.pad(planes, ((0, 0), (0, 2 - planes.shape[1])))  # of one photo
    planes *= np.where(
        planes[np.abs(planes).argmax(axis=0), [0, 1]] < 0, -1, 1
    )  # the sign is arbitrary: one of the two
    low, high = planes.min(axis=0), planes.max(axis=0)
    scaled = np.round((planes - low) / np.maximum(high - low, np.finfo(float).tiny), 4)
    places = [Place(int(number), float(x), float(y)) for number, (x, y) in zip(numbers, scaled, strict=True)]
    return sorted(places, key=lambda place: (place.x, place.y, place.number))
