"""Evaluated images that training saw too, but for a few pixels: sent again, cut, or the next shot of the same thing.

Byte-identical copies never get this far; these have other bytes and nearly the same features.
"""

from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.shared.photos.tables import Assignment
from stages.shared.store.features import Store, read_features

# Cosine of two images' pooled features, seen from the mean of the training images. MobileNet, cut at conv_pw_12_relu:
# the same photo saved again as JPEG of quality 50, at half its side or a sixth brighter has 0.95 to 1.00. Of 800 cats
# and dogs the most alike of the training photos has 0.57 in the median and at most 0.84, but for one copy with 0.99; of
# 171 materials the only two above are second shots of one can and of one bottle.
ALIKE = 0.95
# Few values cannot tell: scans of different sevens have 0.97 in the 64 values of the digits' network.
FEWEST_VALUES = 256
MOST_EVALUATED = 4096  # images; beyond these, and
MOST_TRAINING = 32768  # these, the ones with the lowest hashes, which is a draw by lot
CHUNK = 512  # images whose unpooled features are in memory at once


class NearCopies(NamedTuple):
    """Evaluated images with a near-copy among the training images."""

    examined: int  # evaluated images; 0 where the features cannot tell
    pairs: list[tuple[str, str]]  # hashes: an evaluated image, the training image most like it; most alike first


def near_copies(folder: Path, store: Store, rows: list[Assignment], split: str) -> NearCopies:
    """Compares the evaluated images with the training images by their features in ``folder``."""
    values = store.shape[-1] if len(store.shape) == 3 else prod(store.shape)
    if values < FEWEST_VALUES:
        return NearCopies(0, [])
    training = sorted(row.hash for row in rows if row.split == "train")[:MOST_TRAINING]
    evaluated = sorted(row.hash for row in rows if row.split == split)[:MOST_EVALUATED]
    directions = np.concatenate([_pooled(read_features(folder, store, some)) for some in _chunks(training)])
    centre = directions.mean(axis=0, dtype=np.float64).astype(np.float32)
    directions = _unit(directions - centre)
    found = []
    for some in _chunks(evaluated):
        cosines = _unit(_pooled(read_features(folder, store, some)) - centre) @ directions.T
        nearest = cosines.argmax(axis=1)
        likeness = cosines[np.arange(len(some)), nearest]
        found += [(-likeness[n], some[n], training[nearest[n]]) for n in np.flatnonzero(likeness >= ALIKE)]
    return NearCopies(len(evaluated), [(image, of) for _, image, of in sorted(found)])


def _chunks(hashes: list[str]) -> list[list[str]]:
    return [hashes[start : start + CHUNK] for start in range(0, len(hashes), CHUNK)]


def _pooled(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(images, *shape) to (images, values): maps are averaged over height and width."""
    pooled = features.mean(axis=(1, 2)) if features.ndim == 4 else features.reshape(len(features), -1)
    return pooled.astype(np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny))
