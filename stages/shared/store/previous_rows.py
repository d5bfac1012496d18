"""The rows of the previous output: what DVC still has of the store that was last in a folder."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from stages.shared.errors import UserError
from stages.shared.store.features import FINGERPRINT_FILE, DamagedPartError, Rows, Store, map_rows, row_hashes
from stages.shared.store.previous import previous_folder, read_previous


def previous_store(files: Any, folder: Path) -> Store | None:
    """Its ``fingerprint.json``, if there is one."""
    try:
        return Store(**json.loads(read_previous(files, f"{folder}/{FINGERPRINT_FILE}") or b""))
    except (ValueError, TypeError):
        return None


class PreviousRows:
    """The sound rows of the previous output. Damaged parts are named and left out."""

    def __init__(self, files: Any, folder: Path, store: Store) -> None:
        self._store = store
        self._rows = lru_cache(maxsize=64)(self._mapped)
        kept = previous_folder(files, str(folder))
        self._parts = {f"{folder}/{name}": path for name, path in sorted(kept.items()) if name.endswith(".npy")}
        self._where = {hash_: part for part in self._parts for hash_ in self._sound(part)}

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._where

    def row(self, hash_: str) -> Rows:
        """The stored row of this image, shape (1,)."""
        part = self._where[hash_]
        try:
            return self._rows(part)[hash_]
        except (OSError, DamagedPartError, KeyError) as error:
            raise UserError(f"{part} vanished while it was read (dvc gc?). Run `dvc repro` again.") from error

    def _sound(self, part: str) -> list[str]:
        """The hashes of a part whose every row is as it was written."""
        try:
            return row_hashes(self._store.unpack(self._parts[part].read_bytes(), part))
        except OSError as error:
            damage: Exception | str = f"{part}: {error.strerror}, and no remote gave it"
        except DamagedPartError as error:
            damage = error
        print(f"not reused, a part of the previous features is lost or damaged: {damage}", flush=True)
        return []

    def _mapped(self, part: str) -> dict[str, Rows]:
        rows = map_rows(self._parts[part], self._store.row_type)
        return {hash_: rows[index : index + 1] for index, hash_ in enumerate(row_hashes(rows))}
