"""Class folders, photos/cats/**, or the same inside the split folders train, validation and test."""

import os
from collections.abc import Iterator
from pathlib import Path

from onepass.core import UserError
from onepass.photos.layouts.layout import Layout, register_layout
from onepass.photos.photo_table import Photo, PhotoTable
from onepass.photos.splits import SPLIT_NAMES


def read_folders(root: Path) -> PhotoTable:
    """A folder a class, or the folders train, validation and test with those inside."""
    folders = _folders(root)
    splits = [name for name in folders if name.lower() in SPLIT_NAMES]
    others = [name for name in folders if name not in splits]
    has_splits = "train" in map(str.lower, splits) and not others
    inside = {path.name for name in splits for path in (root / name).iterdir() if path.is_dir()}
    if others and (len(splits) > 1 or inside & set(others)):
        raise UserError(
            f"data.root: {root} holds the split folders {', '.join(splits)} and beside them {', '.join(others[:5])}. "
            f"Expected either split folders only or class folders only; move {others[0]!r} elsewhere."
        )
    if len(splits) > 1 and not has_splits:
        raise UserError(f"data.root: {root} holds {', '.join(splits)}, but no folder train. Expected one beside them.")
    classes = [f"{name}/{below}" for name in splits for below in _folders(root / name)] if has_splits else folders
    empty = [name for name in classes if next(files_below(root, name), None) is None]
    return PhotoTable((_photo(file, has_splits) for file in files_below(root)), empty)


def _folders(root: Path) -> list[str]:
    """The names of the folders in it, sorted, but hidden ones."""
    return sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _photo(file: str, has_splits: bool) -> Photo:
    parents = file.split("/")[:-1]
    depth = 2 if has_splits else 1
    if is_hidden(file):
        return Photo(file, "", "", "", refused="hidden")
    if len(parents) < depth:
        return Photo(file, "", "", "", refused="no_label")
    return Photo(file, parents[depth - 1], SPLIT_NAMES[parents[0].lower()] if has_splits else "", "")


def is_hidden(file: str) -> bool:
    """Whether a file, or a folder on the way to it, has a name that begins with a dot."""
    return any(part.startswith(".") for part in file.split("/"))


def files_below(root: Path, folder: str = "", ancestors: frozenset[str] = frozenset()) -> Iterator[str]:
    """Paths relative to ``root``. Links to folders are followed, but not into a folder that they lie in.

    A folder that cannot be opened is given like a file: whoever reads it finds out why.
    """
    here = os.path.realpath(root / folder)
    try:
        with os.scandir(here) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        yield folder
        return
    for name in names:
        path = f"{folder}/{name}" if folder else name
        if not (root / path).is_dir():
            yield path
        elif os.path.realpath(root / path) not in ancestors | {here}:
            yield from files_below(root, path, ancestors | {here})


register_layout(Layout("folders", rank=100, recognises=Path.is_dir, read=read_folders))
