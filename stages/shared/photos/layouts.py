"""Where the photos are and what they are said to be: class folders, split folders or a CSV."""

import csv
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from stages.shared.errors import UserError, listed
from stages.shared.photos.photos import Photos, Said, said

SPLITS = ("train", "validation", "test")
SPLIT_NAMES = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
LABELS_FILE = "labels.csv"
COLUMNS = ("file", "label", "split", "group")
Row: TypeAlias = dict[str | None, str | None]  # of a CSV; None is the key of too many cells, the value of too few


def base(root: str) -> Path:
    """The folder to which the file names are relative."""
    path = Path(root)
    return path.parent if path.is_file() else path


def find_photos(root: str) -> Photos:
    """Every file below ``data.root`` (or every row of its CSV), sorted by name.

    Raises:
        UserError: the root is missing, its folders are ambiguous, or the CSV is wrong.

    """
    path = Path(root)
    if not path.exists():
        raise UserError(
            f"data.root: {root!r} does not exist (looked in {Path.cwd()}). Give the folder of your photos; outside "
            "this repository, or inside but ignored by git, as an absolute path."
        )
    if not path.is_dir():
        return _from_csv(path)
    if (path / LABELS_FILE).is_file():
        return _from_csv(path / LABELS_FILE)
    return _from_folders(path)


def _from_folders(root: Path) -> Photos:
    folders = sorted(e.name for e in root.iterdir() if e.is_dir() and not e.name.startswith("."))
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
    files = sorted(files_below(root))
    return Photos(files, [_said_by_folders(file, has_splits) for file in files])


def _said_by_folders(file: str, has_splits: bool) -> Said:
    *parents, name = file.split("/")
    depth = 2 if has_splits else 1
    if any(part.startswith(".") for part in [*parents, name]):
        return said("", "", "", refused="hidden")
    if len(parents) < depth:
        return said("", "", "", refused="no_label")
    return said(parents[depth - 1], SPLIT_NAMES[parents[0].lower()] if has_splits else "", "")


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


def _from_csv(path: Path) -> Photos:
    found: dict[str | None, Said] = {}  # by file
    lines = array("Q")  # where each of them stands first
    repeated: list[tuple[int, str | None]] = []
    problems: list[str] = []
    for line, row in _csv_rows(path):
        if problem := _problem(path, row):
            problems.append(f"line {line}: {problem}")
        if row["file"] in found:
            repeated.append((line, row["file"]))
        else:
            found[row["file"]] = _said_by_row(row)
            lines.append(line)
    if repeated:
        first = dict(zip(found, lines, strict=True))
        problems += [f"line {line}: {file} stands in line {first[file]} already" for line, file in repeated]
    if problems:
        raise UserError(f"{path} cannot be used:\n{listed(problems)}")
    files = sorted(file for file in found if file)  # all of them: none is empty, or there would be problems
    return Photos(files, [found[file] for file in files])


def _csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows of a CSV with the right columns, whatever is in them, and the line where each ends."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = list(reader.fieldnames or [])
            if unknown := [name for name in header if name not in COLUMNS]:
                raise UserError(f"{path}: unknown columns {unknown}; allowed: file,label[,split][,group].")
            if len(set(header)) < len(header):
                raise UserError(f"{path}: a column stands twice: {header}.")
            if missing := [name for name in COLUMNS[:2] if name not in header]:
                raise UserError(f"{path}: no column {' and no column '.join(missing)}; found: {header}.")
            for row in reader:
                yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV in UTF-8: {error}") from error


def _said_by_row(row: Row) -> Said:
    return said(
        row["label"] or "",
        SPLIT_NAMES.get((row.get("split") or "").lower(), ""),
        row.get("group") or "",
    )


def _problem(path: Path, row: Row) -> str:
    """What is wrong with a row of the CSV, or nothing."""
    if None in row or None in row.values():
        return "the number of cells is not that of the header"
    if not row["file"] or not row["label"]:
        return "file and label must not be empty"
    if (split := row.get("split")) and split.lower() not in SPLIT_NAMES:
        return f"split {split!r}; allowed: {', '.join(SPLITS)}, or empty"
    if not os.path.lexists(path.parent / row["file"]):
        return f"{row['file']} does not exist (looked in {path.parent})"
    return ""
