"""What a compiled network is to those who call it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Forward(NamedTuple):
    """A compiled network: uint8 (batch, side, side, channels) to features (batch, *shape), for one size of batch."""

    call: Callable[[NDArray[np.uint8]], NDArray[Any]]
    at_once: int  # calls that are best made at the same time, by as many threads

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return self.call(pixels)
