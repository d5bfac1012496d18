"""Photos that are far from all others: of something else, or the only ones of their kind."""

import numpy as np
from numpy.typing import NDArray

from onepass.audit.neighbours import Neighbours

# Times the distance of the quartiles, above the upper one, as Tukey tells what is far out. Of ten photos of materials
# among 2,800 cats and dogs all are farther, with 15 in 1,000 of the others, such as drawings and buildings.
FAR = 2.0


def distances(neighbours: Neighbours) -> NDArray[np.float64]:
    """Of each photo, 1 minus the mean cosine of its neighbours: (photos,), 0..2."""
    there = neighbours.places >= 0
    sums = np.where(there, neighbours.cosines, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(1 - sums / np.maximum(there.sum(axis=1), 1))


def are_outliers(far: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each distance is far above the others: (photos,)."""
    lower, upper = np.percentile(far, [25, 75])
    return np.asarray(far > upper + FAR * (upper - lower))
