"""Rows of numbers, all of one shape, in a temporary file without a name: an array that takes no memory."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class RowFile:
    """Written and read by the numbers of rows."""

    def __init__(self, folder: Path, shape: Sequence[int], dtype: DTypeLike) -> None:
        """No row is written yet.

        Args:
            folder: where there is room; a machine's /tmp is often in its memory.
            shape: of a row.
            dtype: of its numbers.

        """
        self._row = np.empty(shape, dtype)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as this object

    def write(self, numbers: NDArray[np.intp], rows: NDArray[Any]) -> None:
        """Rows, (len(numbers), *shape), under these numbers."""
        for number, row in zip(numbers.tolist(), rows.astype(self._row.dtype, copy=False), strict=True):
            os.pwrite(self._file.fileno(), row.tobytes(), number * self._row.nbytes)

    def read(self, numbers: NDArray[np.intp]) -> NDArray[Any]:
        """These rows, in this order, (len(numbers), *shape); each was written."""
        rows = np.empty((len(numbers), *self._row.shape), self._row.dtype)
        for row, number in zip(rows, numbers.tolist(), strict=True):
            os.preadv(self._file.fileno(), [row.data], number * self._row.nbytes)
        return rows
