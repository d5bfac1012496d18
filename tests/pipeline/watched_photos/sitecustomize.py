"""On PYTHONPATH, this notes each file below the folder WATCHED that a process opens, unless the process is DVC.

Python imports a module of this name by itself, in every process, so that real commands are watched with none of their
own code changed. DVC is left out: it reads photos to know whether they are the same as before.
"""

import os
import sys
from typing import Any

WATCHED = os.environ["WATCHED"]
LOG = os.open(os.environ["OPENED"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)


def note(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: the path, a line each."""
    if event == "open" and os.getpid() != DVC and isinstance(arguments[0], str | bytes):
        path = os.fsdecode(arguments[0])
        if path.startswith(WATCHED) and os.path.isfile(path):  # noqa: PTH113 - nothing is imported for this
            os.write(LOG, f"{path}\n".encode(errors="backslashreplace"))


def is_dvc() -> bool:
    """Whether this process is DVC, by its script or as a module; a fork of it is a stage."""
    return any(word == "dvc" or word.endswith(("/dvc", "/dvc_process.py")) for word in sys.orig_argv[1:4])


DVC = os.getpid() if is_dvc() else None
sys.addaudithook(note)
