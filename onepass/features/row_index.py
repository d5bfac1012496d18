"""Where on this machine's disk each wanted row lies: in a part of the previous output, or in the pool."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onepass.core import Hashes, UserError, find
from onepass.features.rows import DamagedPartError, Rows, map_rows, row_hashes


class RowIndex:
    """For each key the file that holds its row, if there is one: 40 bytes a key, however large the rows are."""

    def __init__(self, keys: Hashes, row_type: np.dtype[np.void]) -> None:
        """Nothing is found yet. The keys are sorted and different."""
        self.keys = keys
        self._files: list[tuple[str, Path]] = []
        self._file = np.full(len(keys), -1, np.int32)  # by place of the key: the number of its file
        self._index = np.zeros(len(keys), np.int32)  # by place of the key: which row of that file
        self.row_type = row_type
        self._map = lru_cache(maxsize=64)(lambda path: map_rows(path, row_type))

    def add(self, name: str, path: Path, hashes: Hashes) -> None:
        """A file with a sound row of each of these hashes, wanted or not; ``name`` is for messages.

        A row that was found before stays where it was, so that an output changes only where rows were missing.
        """
        places = find(self.keys, hashes)
        new = places >= 0
        new[new] = self._file[places[new]] < 0
        self._file[places[new]] = len(self._files)
        self._index[places[new]] = np.flatnonzero(new)
        self._files.append((name, path))

    def missing(self) -> NDArray[np.bool_]:
        """Whether the row of each key must still be found: (keys,)."""
        return self._file < 0

    def lacks_any(self, hashes: Hashes) -> bool:
        """Whether one of these hashes is a key whose row must still be found."""
        places = find(self.keys, hashes)
        return bool((self._file[places[places >= 0]] < 0).any())

    def read(self, places: slice) -> Rows:
        """The stored rows of the keys at these places, in their order; each was found.

        Raises:
            UserError: a file is not any more what it was then.

        """
        rows = np.empty(places.stop - places.start, self.row_type)
        for index, place in enumerate(range(places.start, places.stop)):
            rows[index] = self._row(place)
        if (row_hashes(rows) != self.keys[places]).any():
            raise UserError("Stored features changed while they were read. Run `dvc repro` again.")
        return rows

    def _row(self, place: int) -> np.void:
        name, path = self._files[self._file[place]]
        try:
            row: np.void = self._map(path)[self._index[place]]
        except (OSError, DamagedPartError, IndexError) as error:
            raise UserError(f"{name} vanished while it was read (dvc gc?). Run `dvc repro` again.") from error
        return row
