"""On PYTHONPATH, this gives a run one fault, at a step that changes a file below FAULT_UNDER, in whichever process.

Python imports a module of this name by itself, in every process, so that real commands meet the fault, DVC and the
stages alike, with none of their own code changed. The steps of all processes are counted in the file FAULT_LOG.
"""

import errno
import os
import signal
import sys
from typing import Any

FAULT = os.environ["FAULT"]  # none | kill | torn | full | read-only
AT = int(os.environ["FAULT_AT"])  # the step, counted from 1
UNDER = os.environ["FAULT_UNDER"]
LOG = os.environ["FAULT_LOG"]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {  # audit event: which of its arguments is the path that changes
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
    "os.mkdir": 0,
    "os.remove": 0,
}
NEEDS_ROOM = ("open", "os.rename", "os.link", "os.symlink", "os.mkdir")  # what a full disk refuses


def meet(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook, which is called before each step: counts it, and is the fault if it is its turn."""
    path = changed(event, arguments)
    if not path:
        return
    number = count(f"{event} {path}")
    if FAULT == "torn" and number == AT and event == "open":
        os.truncate(path, 0) if os.path.isfile(path) else None  # noqa: PTH113 - nothing is imported for this
    if FAULT in ("kill", "torn") and number == AT:
        os.killpg(0, signal.SIGKILL)
    if FAULT == "full" and number >= AT and event in NEEDS_ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    if FAULT == "read-only":
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def changed(event: str, arguments: tuple[Any, ...]) -> str:
    """The path below UNDER that a step changes; empty for any other step."""
    if event == "open":
        path = arguments[0] if arguments[2] & WRITES else None
    else:
        path = arguments[CHANGES[event]] if event in CHANGES else None
    if not isinstance(path, str | bytes):
        return ""
    whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
    return whole if whole.startswith(UNDER) and "__pycache__" not in whole else ""


def count(step: str) -> int:
    """Notes the step, and says which one of all processes it is."""
    log = os.open(LOG, os.O_CREAT | os.O_APPEND | os.O_RDWR)
    os.write(log, f"{step}\n".encode(errors="backslashreplace"))
    end = os.lseek(log, 0, os.SEEK_CUR)
    number = os.pread(log, end, 0).count(b"\n")
    os.close(log)
    return number


sys.addaudithook(meet)
