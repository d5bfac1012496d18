"""What this machine remembers of the runs that made an output: seconds, rows computed and the like.

Such facts differ between machines and days, so no DVC output holds them: they lie beside DVC's cache, by the
content of what was made. They can be deleted at any time.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from onepass.core import write_json
from onepass.dvc_repo import machine_folder_of_here


def key_of(*contents: bytes) -> str:
    """The name of an output by the bytes of its files: sha256 of all of them one after another, hex.

    ``core.sha256_of_files`` gives the same for files on the disk.
    """
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def record(stage: str, key: str, facts: dict[str, Any]) -> None:
    """Keeps what is to be remembered of the run of ``stage`` that made the output called ``key``.

    Where that cannot be written, it is not remembered: what the run was for is done.
    """
    try:
        write_json(_path(stage, key), facts)
    except OSError as error:
        print(f"not remembered, how long {stage} took: {error}", flush=True)


def recall(stage: str, key: str) -> dict[str, Any] | None:
    """What was recorded; None where nothing was on this machine, or what was is damaged."""
    try:
        facts = json.loads(_path(stage, key).read_bytes())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _path(stage: str, key: str) -> Path:
    return _runs(Path.cwd()) / f"{stage}-{key}.json"


@lru_cache(maxsize=1)
def _runs(_workspace: Path) -> Path:
    """Found once for a workspace: asking DVC where its cache is takes time."""
    return machine_folder_of_here() / "runs"
