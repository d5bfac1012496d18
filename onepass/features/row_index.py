"""Where on this machine's disk each wanted row lies: in a part of the previous output, or in the pool."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onepass.core import Hashes, UserError, find
from onepass.features.rows import DamagedPartError, Rows, map_rows, row_hashes

MAPS = 64


class RowIndex:
    """For each key the file that holds its row, if there is one: 8 bytes a key beside the key, however large the
    rows are.
    """

    def __init__(self, keys: Hashes, row_type: np.dtype[np.void], maps: int = MAPS) -> None:
        """Nothing is found yet.

        Args:
            keys: sorted and different.
            row_type: of the rows.
            maps: files that are open at once; what is read of them counts as memory of the process.

        """
        self.keys = keys
        self._files: list[str] = []  # texts, since a Path takes a kilobyte
        self._names: dict[int, str] = {}  # of files that messages call otherwise
        self._file = np.full(len(keys), -1, np.int32)  # by place of the key: the number of its file
        self._index: NDArray[np.unsignedinteger] = np.zeros(len(keys), np.uint16)  # by place: which row of that file
        self.row_type = row_type
        self._map = lru_cache(maxsize=maps)(lambda path: map_rows(path, row_type))

    def add(self, name: str, path: Path, hashes: Hashes) -> None:
        """A file with a sound row of each of these hashes, wanted or not; ``name`` is for messages.

        A row that was found before stays where it was, so that an output changes only where rows were missing.
        """
        places = find(self.keys, hashes)
        new = places >= 0
        new[new] = self._file[places[new]] < 0
        self._file[places[new]] = len(self._files)
        if len(hashes) > np.iinfo(self._index.dtype).max:
            self._index = self._index.astype(np.uint32)
        self._index[places[new]] = np.flatnonzero(new)
        if name != str(path):
            self._names[len(self._files)] = name
        self._files.append(str(path))

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
        files, index = self._file[places], self._index[places]
        for number in np.unique(files).tolist():
            here = files == number
            rows[here] = self._rows(number, index[here])
        if (row_hashes(rows) != self.keys[places]).any():
            raise UserError("Stored features changed while they were read. Run `dvc repro` again.")
        return rows

    def _rows(self, number: int, index: NDArray[np.unsignedinteger]) -> Rows:
        try:
            rows: Rows = self._map(self._files[number])[index]
        except (OSError, DamagedPartError, IndexError) as error:
            name = self._names.get(number, self._files[number])
            raise UserError(f"{name} vanished while it was read (dvc gc?). Run `dvc repro` again.") from error
        return rows
