"""Whether files are still what a stage wrote.

DVC takes a file for unchanged where its size and its date are, so that a flipped bit on a disk, or an edit that keeps
the date, would be read like a result. dvc.lock has the digest of each output; whoever reads one asks for it here.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from onepass.core.errors import UserError
from onepass.core.yaml_files import load_yaml

LOCK = Path("dvc.lock")


def check_recorded(*paths: Path) -> None:
    """Compares outputs of stages with what dvc.lock says of them; what it does not name is not looked at.

    Args:
        paths: files or folders that a stage wrote, or folders with such ones in them.

    Raises:
        UserError: one has other bytes than the stage gave it.

    """
    wanted = [os.path.relpath(path) for path in paths]
    for stage, out in _outputs():
        path = out["path"]
        if not any(path == one or path.startswith(f"{one}/") for one in wanted) or not Path(path).exists():
            continue
        if (found := digest_of(Path(path))) != out["md5"]:
            raise UserError(
                f"{path} is not what {stage} wrote, but changed or damaged since: dvc.lock has the digest "
                f"{out['md5']}, its content {found}. `python -m onepass repair` deletes what is damaged, and "
                "`dvc repro` brings back what was."
            )


def digest_of(path: Path) -> str:
    """The md5 by which DVC knows a file or a folder: a guard against damage, none against malice."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    listing = [{"md5": digest_of(path / file), "relpath": file} for file in files]
    return hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _outputs() -> Iterator[tuple[str, dict[str, Any]]]:
    """What dvc.lock of the current folder says that the stages made: the stage, and the output."""
    if not LOCK.is_file():
        return
    try:
        for name, stage in load_yaml(LOCK.read_bytes())["stages"].items():
            yield from ((name, out) for out in stage.get("outs", []) if out["md5"] and out["path"])
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{LOCK} cannot be read: {error!r}. `git checkout {LOCK}` brings back what was.") from error
