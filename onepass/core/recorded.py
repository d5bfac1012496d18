"""Whether files are still what a stage wrote.

DVC takes a file for unchanged where its size and its date are, so that a flipped bit on a disk, or an edit that keeps
the date, would be read like a result. dvc.lock has the digest of each output; whoever reads one asks for it here.
"""

import hashlib
import json
import os
from pathlib import Path

from onepass.core.dvc_lock import parse_lock
from onepass.core.errors import UserError

LOCK = Path("dvc.lock")


def check_recorded(*paths: Path) -> None:
    """Compares outputs of stages with what dvc.lock says of them; what it does not name is not looked at.

    Args:
        paths: files or folders that a stage wrote, folders with such ones in them, or files in such a folder.

    Raises:
        UserError: one has other bytes than the stage gave it.

    """
    check_recorded_in(Path(), *map(os.path.relpath, paths))


def check_recorded_in(folder: Path, *wanted: str) -> None:
    """The same of a project in a folder; ``wanted``: paths in it, with forward slashes."""
    lock = folder / LOCK
    stages = parse_lock(lock.read_bytes()) if lock.is_file() else {}
    for name, out in ((name, out) for name, stage in stages.items() for out in stage.outs):
        if not any(f"{out.path}/".startswith(f"{one}/") or one.startswith(f"{out.path}/") for one in wanted):
            continue
        if not out.md5 or not (folder / out.path).exists():  # who needs it says so
            continue
        if (found := digest_of(folder / out.path)) != out.md5:
            raise UserError(
                f"{folder / out.path} is not what {name} wrote, but changed or damaged since: dvc.lock has the digest "
                f"{out.md5}, its content {found}. `python -m onepass repair` deletes what is damaged, and `dvc repro` "
                "brings back what was."
            )


def digest_of(path: Path) -> str:
    """The md5 by which DVC knows a file or a folder: a guard against damage, none against malice."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    listing = [{"md5": digest_of(path / file), "relpath": file} for file in files]
    return hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest() + ".dir"
