"""The one exception for mistakes that the user can mend, and how whatever else goes wrong ends in words of ours."""

import errno
import os
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LOGS = Path(".dvc/tmp")  # where tracebacks are written, in a project
# What a machine can refuse, and what to do about it.
REFUSALS = {
    errno.ENOSPC: "the disk is full. Make room; the same command goes on with what is kept",
    errno.EDQUOT: "the quota of this user is used up. Make room; the same command goes on with what is kept",
    errno.EROFS: "the file system can only be read. Mount it writable, or set another cache by `dvc cache dir`",
    errno.EACCES: "this user may not write or read there. Mend the permissions of the file or of its folder",
    errno.EPERM: "this user may not write or read there. Mend the permissions of the file or of its folder",
    errno.EMFILE: "too many files are open. Raise the limit: `ulimit -n 4096`",
    errno.EIO: "the disk fails. Copy what is dear to you, and run the command on another one",
}


class UserError(Exception):
    """A message for the person who must act: what was expected, what was found, where, and what to do next."""


def run_stage(main: Callable[..., None], given: Mapping[str, Any] | None = None) -> None:
    """Runs ``main`` on the paths of the command line, or on what was made of it by name.

    What stops it ends the process with a message, and no more.
    """
    try:
        if given is None:
            main(*map(Path, sys.argv[1:]))
        else:
            main(**given)
    except KeyboardInterrupt:
        sys.exit("\nonepass: stopped. What is finished is kept, and the same command goes on from there.\n")
    except Exception as error:  # noqa: BLE001 - whatever happens, the last line is ours
        sys.exit(f"\nonepass: {explained(error)}\n")


def explained(error: Exception) -> str:
    """What happened and what to do, for the person who must act.

    A UserError says it itself, and what the machine has refused is known; of anything else the traceback goes to a file
    that is named.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            f"out of memory{f': {error}' if str(error) else ''}. Close other programs, or lower what the stage holds "
            "at once: backbone.image_side, head.hidden_units, train.batch."
        )
    if isinstance(error, OSError) and error.errno in REFUSALS:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{where}{REFUSALS[error.errno]}."
    if isinstance(error, sqlite3.Error):
        return (
            f"a temporary table cannot be kept: {first_line(error)}. Make room where the system has temporary files, "
            "or name another folder: `TMPDIR=/path/to/folder`."
        )
    return (
        f"a mistake in onepass, not in what it was given: {type(error).__name__}: {first_line(error)}. "
        f"{logged(error)} What is finished is kept."
    )


def first_line(error: Exception) -> str:
    """What an error of a library says before it goes into detail."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def logged(error: Exception) -> str:
    """Where the traceback is, in a sentence."""
    text = "".join(traceback.format_exception(error))
    try:
        file, name = tempfile.mkstemp(".log", "onepass-", LOGS if LOGS.is_dir() else None)
        with os.fdopen(file, "w", errors="backslashreplace") as log:
            log.write(text)
    except OSError:
        return f"The traceback cannot be written to a file:\n{text}"
    return f"Report it with the traceback in {name}."


def listed(items: list[str], most: int = 5) -> str:
    """At most ``most`` of ``items``, a line each, and how many more there are."""
    lines = [f"  {item}" for item in items[:most]]
    if len(items) > most:
        lines.append(f"  ... and {len(items) - most} more")
    return "\n".join(lines)
