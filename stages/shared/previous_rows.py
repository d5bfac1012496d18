"""The rows of the previous output: what DVC still has of the store that was last in a folder."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from stages.shared.errors import UserError
from stages.shared.features import FINGERPRINT_FILE, DamagedPartError, Rows, Store, row_hashes
from stages.shared.previous import fetch_previous, read_previous


def previous_store(files: Any, folder: Path) -> Store | None:
    """Its ``fingerprint.json``, if there is one."""
    try:
        return Store(**json.loads(read_previous(files, f"{folder}/{FINGERPRINT_FILE}") or b""))
    except (ValueError, TypeError):
        return None


class PreviousRows:
    """The sound rows of the previous output, read a part at a time. Damaged parts are named and left out."""

    def __init__(self, files: Any, folder: Path, store: Store) -> None:
        fetch_previous(files, str(folder))
        self._files = files
        self._store = store
        self._rows = lru_cache(maxsize=64)(self._read)
        parts = sorted(path for path in files.ls(str(folder), detail=False) if path.endswith(".npy"))
        self._where = {hash_: path for path in parts for hash_ in self._rows(path)}

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._where

    def row(self, hash_: str) -> Rows:
        """The stored row of this image, shape (1,)."""
        path = self._where[hash_]
        try:
            return self._rows(path)[hash_]
        except KeyError as error:
            raise UserError(f"{path} vanished while it was read (dvc gc?). Run `dvc repro` again.") from error

    def _read(self, path: str) -> dict[str, Rows]:
        content = read_previous(self._files, path)
        try:
            if content is None:
                raise DamagedPartError(f"{path}: neither cache nor remote has it any more")
            rows = self._store.unpack(content, path)
        except DamagedPartError as damage:
            print(f"not reused, a part of the previous features is lost or damaged: {damage}", flush=True)
            return {}
        return {hash_: rows[index : index + 1] for index, hash_ in enumerate(row_hashes(rows))}
