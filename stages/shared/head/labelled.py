"""Features with their classes: what a head is trained on."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Labelled(NamedTuple):
    """Rows of one split. With augmented views an image has several rows."""

    features: Any  # (rows, *shape), to be read by the numbers of rows: an array, or Streamed
    labels: NDArray[np.int64]  # (rows,), numbers of classes
    images: NDArray[np.int64]  # (rows,), number of the image that a row shows
