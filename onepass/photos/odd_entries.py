"""What lies among photos that nobody can read, or only wait for: DVC, which hashes the folder first, would hang or fail
without a word on it.

Looks at names and kinds, and opens nothing.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

KINDS = {
    stat.S_IFIFO: "a named pipe: whoever opens it waits for a writer",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def odd_entries(root: Path) -> Iterator[tuple[str, str]]:
    """What is neither file nor folder, in the folder ``root`` and below: its name there, and what it is.

    A root that is a file has none.
    """
    if root.is_dir():
        yield from _below(root, "", frozenset())
    elif (kind := _kind(root)) and root.exists():
        yield str(root), kind


def _below(root: Path, folder: str, ancestors: frozenset[str]) -> Iterator[tuple[str, str]]:
    here = os.path.realpath(root / folder)
    try:
        with os.scandir(here) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield folder or ".", f"a folder that cannot be opened: {error.strerror}"
        return
    for entry in found:
        name = f"{folder}/{entry.name}" if folder else entry.name
        try:
            is_folder = entry.is_dir()
            plain = is_folder or entry.is_file()
        except OSError:  # links in a circle
            is_folder = plain = False
        if not entry.name.isascii() and _stray_bytes(entry.name):
            yield name, f"a name that is no UTF-8, {os.fsencode(entry.name)!r}: rename it"
        elif not plain:
            yield name, _kind(root / name)
        elif is_folder and entry.is_symlink() and (target := os.path.realpath(root / name)) in ancestors | {here}:
            yield name, f"a link to the folder that it lies in, {target}"
        elif is_folder:
            yield from _below(root, name, ancestors | {here})


def _stray_bytes(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _kind(path: Path) -> str:
    """What a path is that is neither file nor folder; empty for these two."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        try:
            return f"a link to {path.readlink()}, where nothing is ({error.strerror})"
        except OSError:
            return f"nothing that can be looked at: {error.strerror}"
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else KINDS.get(stat.S_IFMT(mode), "no file")
