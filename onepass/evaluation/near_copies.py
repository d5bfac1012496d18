"""Evaluated images that training saw too, but for a few pixels: sent again, cut, or the next shot of the same thing.

Byte-identical copies never get this far; these have other bytes and nearly the same features.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Cosine of two images' pooled features, seen from the mean of the training images. MobileNet, cut at conv_pw_12_relu:
# the same photo saved again as JPEG of quality 50, at half its side or a sixth brighter has 0.95 to 1.00. Of 800 cats
# and dogs the most alike of the training photos has 0.57 in the median and at most 0.84, but for one copy with 0.99; of
# 171 materials the only two above are second shots of one can and of one bottle.
ALIKE = 0.95
# Few values cannot tell: scans of different sevens have 0.97 in the 64 values of the digits' network.
FEWEST_VALUES = 256
MOST_EVALUATED = 2048  # images; beyond these, and
MOST_TRAINING = 32768  # these, the first ones, which is a draw by lot where they come in order of their hashes
COMPARED = 512  # training images that are compared at once
MOST_PAIRS = 1 << 16  # that are kept, beside the nearest training image of each evaluated one
DECIMALS = 4  # of the cosine: the last bits are the processor's


class NearCopy(NamedTuple):
    """An evaluated image and a training image that are nearly the same; they sort with the most alike first."""

    unlikeness: float  # 1 - cosine, rounded
    hash: str  # of the evaluated image
    copy_hash: str  # of the training image

    @property
    def likeness(self) -> str:
        """The cosine, as text that always has its decimals."""
        return f"{1 - self.unlikeness:.{DECIMALS}f}"


class NearCopies(NamedTuple):
    """Evaluated images with near-copies among the training images."""

    examined: int  # evaluated images; 0 where the features cannot tell
    pairs: list[NearCopy]  # sorted
    complete: bool = True  # whether all pairs are here; if not, each evaluated image still has its nearest

    @property
    def images(self) -> int:
        """How many evaluated images have a near-copy."""
        return len({pair.hash for pair in self.pairs})


class CopySearch:
    """Looks at the evaluated images first, piece by piece, and then at the training images: each is seen once."""

    def __init__(self, shape: Sequence[int]) -> None:
        """``shape``: of the features of one image."""
        values = shape[-1] if len(shape) == 3 else prod(shape)
        self._able = values >= FEWEST_VALUES
        self._images: list[str] = []  # evaluated ones
        self._directions = np.empty((0, values), np.float32)  # of the same images
        self._likeness = np.empty(0, np.float32)  # of each to its nearest training image
        self._nearest: list[str] = []
        self._found: list[NearCopy] = []
        self._complete = True
        self._pieces: list[NDArray[np.float32]] = []
        self._centre = np.zeros(values, np.float32)
        self._compared = 0

    def evaluated(self, hashes: Sequence[str], features: NDArray[Any], _chances: NDArray[np.float64]) -> None:
        """Evaluated images with their features, (images, *shape)."""
        room = MOST_EVALUATED - len(self._images)
        if self._able and room > 0:
            self._images += hashes[:room]
            self._pieces.append(pooled(features[:room]))

    def training(self, hashes: Sequence[str], features: NDArray[Any]) -> None:
        """Training images with their features. Thousands at once are best: the first call is taken for their mean."""
        if self._pieces:
            self._centre = pooled(features).mean(axis=0, dtype=np.float64).astype(np.float32)
            self._directions = _unit(np.concatenate(self._pieces) - self._centre)
            self._likeness = np.full(len(self._images), -np.inf, np.float32)
            self._nearest = [""] * len(self._images)
            self._pieces.clear()
        for start in range(0, min(len(hashes), MOST_TRAINING - self._compared) if self._images else 0, COMPARED):
            some = slice(start, min(start + COMPARED, MOST_TRAINING - self._compared))
            cosines = _unit(pooled(features[some]) - self._centre) @ self._directions.T
            self._keep(hashes[some], cosines)
            likeness = cosines.max(axis=0)
            for number in np.flatnonzero(likeness > self._likeness):
                self._nearest[number] = hashes[start + int(cosines[:, number].argmax())]
            self._likeness = np.maximum(self._likeness, likeness)
        self._compared += len(hashes)

    def found(self) -> NearCopies:
        """What was found; nothing where there were no training images."""
        copies = np.flatnonzero(self._likeness >= ALIKE)
        nearest = {_pair(self._likeness[n], self._images[n], self._nearest[n]) for n in copies}
        return NearCopies(len(self._images), sorted(nearest.union(self._found)), self._complete)

    def _keep(self, hashes: Sequence[str], cosines: NDArray[np.float32]) -> None:
        """All pairs among these training images and the evaluated ones, (training, evaluated), while there is room."""
        places = np.argwhere(cosines >= ALIKE)
        room = MOST_PAIRS - len(self._found)
        self._complete = self._complete and len(places) <= room
        self._found += [_pair(cosines[t, e], self._images[e], hashes[t]) for t, e in places[:room]]


def _pair(cosine: np.float32, image: str, copy: str) -> NearCopy:
    return NearCopy(round(1 - float(cosine), DECIMALS), image, copy)


def pooled(features: NDArray[Any]) -> NDArray[np.float32]:
    """(images, *shape) to (images, values): maps are averaged over height and width."""
    means = features.mean(axis=(1, 2)) if features.ndim == 4 else features.reshape(len(features), -1)
    return means.astype(np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny))
