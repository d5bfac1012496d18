"""Where on this machine's disk each wanted row lies: in a part of the previous output, or in the pool."""

import os
import shutil
from array import array
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onepass.core import Hashes, UserError, find
from onepass.features.rows import DamagedPartError, Rows, map_rows, pack, packed_size, row_hashes

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
        # Of each file its name and the number of its folder, of which there are few: whole paths take three times that.
        self._files: list[str] = []
        self._folders: dict[str, int] = {}
        self._folder_of_file = array("I")
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
        folder, file = os.path.split(path)
        self._files.append(file)
        self._folder_of_file.append(self._folders.setdefault(folder, len(self._folders)))

    def missing(self) -> NDArray[np.bool_]:
        """Whether the row of each key must still be found: (keys,)."""
        return self._file < 0

    def lacks_any(self, hashes: Hashes) -> bool:
        """Whether one of these hashes is a key whose row must still be found."""
        places = find(self.keys, hashes)
        return bool((self._file[places[places >= 0]] < 0).any())

    def read(self, places: slice | NDArray[np.intp]) -> Rows:
        """The stored rows of the keys at these places, in their order; each was found.

        Raises:
            UserError: a file is not any more what it was then.

        """
        files, index = self._file[places], self._index[places]
        rows = np.empty(len(files), self.row_type)
        for number in np.unique(files).tolist():
            here = files == number
            rows[here] = self._rows(number, index[here])
        if (row_hashes(rows) != self.keys[places]).any():
            raise UserError("Stored features changed while they were read. Run `dvc repro` again.")
        return rows

    def write_part(self, places: slice, path: Path) -> None:
        """Writes the rows of these keys, each of which was found: as a copy of the file that holds just them, where
        there is one, as for nearly all where a few photos were added to many.

        Raises:
            UserError: as ``read``.

        """
        with suppress(OSError):  # what is gone by now, ``read`` reports
            if same := self._file_of_all(places):
                shutil.copyfile(same, path)
                return
        path.write_bytes(pack(self.read(places)))

    def _file_of_all(self, places: slice) -> str | None:
        """The file that holds the rows of these keys, in their order and no others."""
        files, index = self._file[places], self._index[places]
        if (files != files[0]).any() or (index != np.arange(len(index))).any():
            return None
        path = self._path(int(files[0]))
        return path if os.stat(path).st_size == packed_size(len(index), self.row_type) else None  # noqa: PTH116

    def _path(self, number: int) -> str:
        return os.path.join(list(self._folders)[self._folder_of_file[number]], self._files[number])  # noqa: PTH118

    def _rows(self, number: int, index: NDArray[np.unsignedinteger]) -> Rows:
        try:
            rows: Rows = self._map(self._path(number))[index]
        except (OSError, DamagedPartError, IndexError) as error:
            name = self._names.get(number, self._path(number))
            raise UserError(f"{name} vanished while it was read (dvc gc?). Run `dvc repro` again.") from error
        return rows
