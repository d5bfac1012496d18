"""Files that appear whole or not at all, even when the process or the machine dies."""

import hashlib
import io
import json
import os
import socket
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from onepass.core.processes import still_runs

HOST = socket.gethostname().replace(".", "-")  # a cache may be shared by machines
UNFINISHED = ".tmp"  # how the names of files end that are being written
FORGOTTEN = 86_400  # seconds, after which nobody is still writing one
SEAL = "sha256"  # the key under which sealed JSON has the digest of the rest
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


@contextmanager
def atomic_file(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to; at the end it replaces ``path`` in one step that survives a power loss.

    Not ``durable``: one that survives the death of the process, but need not wait for the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    # The process id keeps two writers of the same file from sharing a temporary one.
    temporary = path.with_name(f".{path.name}.{HOST}.{os.getpid()}{UNFINISHED}")
    try:
        with temporary.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(path)
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@cache
def _sweep(folder: Path) -> None:
    """Takes away, once a process, what processes that were killed have left there."""
    for path in folder.glob(f".*{UNFINISHED}"):
        *_, host, number = path.name.removesuffix(UNFINISHED).split(".")
        with suppress(FileNotFoundError):  # another process sweeps, too
            written = path.stat().st_mtime
            killed = host == HOST and number.isdecimal() and not still_runs(int(number), written)
            if killed or time.time() - written > FORGOTTEN:
                path.unlink()


def write_atomically(path: Path, content: bytes, durable: bool = True) -> None:
    """Replaces ``path`` by ``content`` in one step, as ``atomic_file`` does."""
    with atomic_file(path, durable) as file:
        file.write(content)


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    """An archive of these members, in their order and without dates: the same members give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), member)
    write_atomically(path, content.getvalue())


def write_json(path: Path, content: Any) -> None:
    r"""Readable and byte-stable JSON: sorted keys, a final newline.

    Bytes of names that are no UTF-8 become escapes, ``\udcff``, which json.loads gives back as they were.
    """
    write_atomically(path, _readable(content))


def write_sealed_json(path: Path, content: Mapping[str, Any]) -> None:
    """The same of a mapping, with its own digest under ``sha256``."""
    write_atomically(path, _sealed(content))


def read_sealed_json(content: bytes) -> dict[str, Any]:
    """What ``write_sealed_json`` was given, from the bytes that it wrote. ValueError: from any others."""
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(found, dict) or not found.pop(SEAL, "") or _sealed(found) != content:
        raise ValueError("not what was written: changed or damaged")
    return found


def _sealed(content: Mapping[str, Any]) -> bytes:
    return _readable({**content, SEAL: hashlib.sha256(_readable(content)).hexdigest()})


def _readable(content: Any) -> bytes:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode(errors="backslashreplace")
