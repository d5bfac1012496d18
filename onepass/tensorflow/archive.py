"""The .keras archive, written so that an identical model gives identical bytes.

Keras's own says when it was written and where in memory the parts of the model were.
"""

import json
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from onepass.core import KERAS_CONFIG, KERAS_METADATA, write_zip


def save_keras(path: Path, network: Any, metadata: Mapping[str, Any]) -> None:
    """Writes a Keras model as a file that plain Keras loads; ``metadata`` stands beside Keras's version in it."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        network.save(saved)
        with zipfile.ZipFile(saved) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
    members[KERAS_CONFIG] = _renumbered(members[KERAS_CONFIG].decode()).encode()
    members[KERAS_METADATA] = json.dumps({"keras_version": keras.__version__, **metadata}, sort_keys=True).encode()
    write_zip(path, members)


def _renumbered(config: str) -> str:
    """Keras's description of a model, with the memory addresses in it replaced by counting."""
    seen: dict[str, int] = {}
    return re.sub(
        r'("shared_object_id": )(\d+)', lambda found: f"{found[1]}{seen.setdefault(found[2], len(seen))}", config
    )
