"""The rows that need not be computed: of the previous output, which DVC still has, and of this machine's pools."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from onepass.core import SEAL
from onepass.dvc_repo import previous_folder, read_previous
from onepass.features.agreement import CANDIDATES, Source
from onepass.features.row_index import RowIndex
from onepass.features.rows import DamagedPartError, Rows, row_hashes, unpack
from onepass.features.store import FINGERPRINT_FILE, Store
from onepass.features.versions import VERSIONS_FILE, Environment, Record, parse_record
from onepass.params import VersionsRule


def previous_store(files: Any, folder: Path) -> Store | None:
    """Its ``fingerprint.json``, if there is one."""
    try:
        said = json.loads(read_previous(files, f"{folder}/{FINGERPRINT_FILE}") or b"")
        said.pop(SEAL, None)  # older versions wrote none; whether a row is sound, and of this network, each says itself
        return Store(**said)
    except (ValueError, TypeError, AttributeError):
        return None


def previous_record(files: Any, folder: Path) -> Record:
    """Its ``versions.json``."""
    return parse_record(read_previous(files, f"{folder}/{VERSIONS_FILE}"))


def find_rows(
    index: RowIndex, stores: Iterable[tuple[Record, Callable[[], None]]], here: Environment, rule: VersionsRule
) -> list[Source]:
    """Finds rows in one store after the other, each only where those before it had none.

    Args:
        stores: each with what adds its rows to the index.
        here, rule: with ``renew``, stores of other environments are left out.

    Returns:
        The stores that gave rows.

    """
    sources = []
    for record, add in stores:
        if rule == "renew" and not record.covers(here, rule):
            continue
        missing = index.missing()
        add()
        missing &= ~index.missing()
        if found := int(missing.sum()):
            sources.append(Source(record, found, np.flatnonzero(missing)[:CANDIDATES].copy()))
    return sources


def add_previous(index: RowIndex, files: Any, folder: Path, store: Store) -> None:
    """Finds rows in the parts of the previous output. Damaged parts are named and left out."""
    sound_rows = partial(unpack, expected=store.row_type, key=store.key)  # the same for thousands of parts
    for name, path in sorted(previous_folder(files, str(folder)).items()):
        if name.endswith(".npy"):
            _find_in(f"{folder}/{name}", path, index, sound_rows)


def _find_in(part: str, path: Path, index: RowIndex, sound_rows: Callable[[bytes, str], Rows]) -> None:
    try:
        index.add(part, path, row_hashes(sound_rows(path.read_bytes(), part)))
        return
    except OSError as error:
        damage: Exception | str = f"{part}: {error.strerror}, and no remote gave it"
    except DamagedPartError as error:
        damage = error
    print(f"not reused, a part of the previous features is lost or damaged: {damage}", flush=True)
