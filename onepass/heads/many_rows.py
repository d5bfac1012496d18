"""Some of many rows of features: read a piece at a time, where a copy of all of them would double the memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.heads.standardised import MANY

TOGETHER = 4096  # rows of which probabilities are asked for at once


class ChosenRows:
    """They are read by their numbers, as an array of them would give them."""

    def __init__(self, features: NDArray[np.float32], places: NDArray[np.intp]) -> None:
        """``places``: of the rows among the features, (rows, values)."""
        self._features, self._places = features, places

    def __len__(self) -> int:
        return len(self._places)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, values), as for an array."""
        return len(self._places), self._features.shape[1]

    def __getitem__(self, numbers: NDArray[np.intp]) -> NDArray[np.float32]:
        """These rows, in this order."""
        rows: NDArray[np.float32] = self._features[self._places[numbers]]
        return rows


def chosen_rows(features: NDArray[np.float32], places: NDArray[np.intp]) -> Any:
    """What a head is trained on: a copy of these rows, or, of many, what reads them."""
    return ChosenRows(features, places) if len(places) > MANY else features[places]


def said_of_rows(
    says: Callable[[NDArray[np.float32]], NDArray[np.float64]], features: NDArray[np.float32], places: NDArray[np.intp]
) -> NDArray[np.float64]:
    """What a trained head says of these rows: (rows, classes)."""
    if len(places) <= TOGETHER:
        return says(features[places])
    pieces = (places[start : start + TOGETHER] for start in range(0, len(places), TOGETHER))
    return np.concatenate([says(features[some]) for some in pieces])
