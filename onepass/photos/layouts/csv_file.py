"""A CSV with the columns file,label[,split][,group]: given itself, or labels.csv in a folder of photos."""

import csv
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from onepass.core import UserError, listed
from onepass.photos.layouts.layout import Layout, register_layout
from onepass.photos.photo_table import PhotoTable, Said, said
from onepass.photos.splits import SPLIT_NAMES, SPLITS

LABELS_FILE = "labels.csv"
LABEL_COLUMNS = ("file", "label", "split", "group")
Row: TypeAlias = dict[str | None, str | None]  # of a CSV; None is the key of too many cells, the value of too few


def is_csv(root: Path) -> bool:
    """Whether the root is a file, or a folder with a labels.csv."""
    return not root.is_dir() or (root / LABELS_FILE).is_file()


def read_csv(root: Path) -> PhotoTable:
    """A row a photo, its file relative to the folder of the CSV."""
    path = root / LABELS_FILE if root.is_dir() else root
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
    return PhotoTable(files, [found[file] for file in files])


def _csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows of a CSV with the right columns, whatever is in them, and the line where each ends."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = list(reader.fieldnames or [])
            if not _is_utf8("".join(header)):
                raise UserError(f"{path} is not a CSV in UTF-8; its first line is {header}.")
            if unknown := [name for name in header if name not in LABEL_COLUMNS]:
                raise UserError(f"{path}: unknown columns {unknown}; allowed: file,label[,split][,group].")
            if len(set(header)) < len(header):
                raise UserError(f"{path}: a column stands twice: {header}.")
            if missing := [name for name in LABEL_COLUMNS[:2] if name not in header]:
                raise UserError(f"{path}: no column {' and no column '.join(missing)}; found: {header}.")
            for row in reader:
                yield reader.line_num, row
    except csv.Error as error:
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
    if not _is_utf8(row["label"]) and _is_utf8(row["file"]):
        return f"label {row['label']!r} is not UTF-8: save the CSV in UTF-8"
    if (split := row.get("split")) and split.lower() not in SPLIT_NAMES:
        return f"split {split!r}; allowed: {', '.join(SPLITS)}, or empty"
    if not os.path.lexists(path.parent / row["file"]):
        return f"{row['file']} does not exist (looked in {path.parent})"
    return ""


def _is_utf8(text: str) -> bool:
    """Whether no byte is a stray one. The names of files may have some, and those of their folders."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


register_layout(Layout("csv", rank=10, recognises=is_csv, read=read_csv))
