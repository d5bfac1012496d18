"""A CSV with the columns file,label[,split][,group][,hash]: given itself, or labels.csv in a folder of photos."""

import csv
from array import array
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from onepass.core import SHA256, UserError, listed
from onepass.photos.layouts.layout import Layout, register_layout
from onepass.photos.photo_table import Photo, PhotoTable
from onepass.photos.reading import missing
from onepass.photos.splits import SPLIT_NAMES, SPLITS

LABELS_FILE = "labels.csv"
LABEL_COLUMNS = ("file", "label", "split", "group")


class Row(NamedTuple):
    """The cells of a line; empty where there is no such column."""

    file: str
    label: str
    split: str
    group: str
    hash: str


COLUMNS = Row._fields


def is_csv(root: Path) -> bool:
    """Whether the root is a file, or a folder with a labels.csv."""
    return not root.is_dir() or (root / LABELS_FILE).is_file()


def read_csv(root: Path) -> PhotoTable:
    """A row a photo, its file relative to the folder of the CSV."""
    path = root / LABELS_FILE if root.is_dir() else root
    folder = path.parent
    lines = array("Q")  # where each photo stands
    problems: list[str] = []

    def photos() -> Iterator[Photo]:
        for line, row in _csv_rows(path):
            if problem := _problem(folder, row):
                problems.append(f"line {line}: {problem}")
            elif row:
                lines.append(line)
                yield Photo(row.file, row.label, SPLIT_NAMES.get(row.split.lower(), ""), row.group, "", row.hash)

    table = PhotoTable(photos())
    for place, first, file in sorted(table.repeated()):
        problems.append(f"line {lines[place]}: {file} stands in line {lines[first]} already")
    if problems:
        raise UserError(f"{path} cannot be used:\n{listed(problems)}")
    return table


def _csv_rows(path: Path) -> Iterator[tuple[int, Row | None]]:
    """The rows of a CSV with the right columns, whatever is in them, and the line where each ends.

    None for a row that has not as many cells as the header.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            _check_header(path, header)
            # Of each column, where it stands in a line; those that are not there stand behind the last one.
            cells_of = itemgetter(*(header.index(name) if name in header else len(header) for name in COLUMNS))
            for cells in reader:
                if cells:
                    whole = len(cells) == len(header)
                    cells.append("")
                    yield reader.line_num, Row._make(cells_of(cells)) if whole else None
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV in UTF-8: {error}") from error


def _check_header(path: Path, header: list[str]) -> None:
    if not _is_utf8("".join(header)):
        raise UserError(f"{path} is not a CSV in UTF-8; its first line is {header}.")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise UserError(f"{path}: unknown columns {unknown}; allowed: file,label[,split][,group][,hash].")
    if len(set(header)) < len(header):
        raise UserError(f"{path}: a column stands twice: {header}.")
    if lacking := [name for name in COLUMNS[:2] if name not in header]:
        raise UserError(f"{path}: no column {' and no column '.join(lacking)}; found: {header}.")


def _problem(folder: Path, row: Row | None) -> str:
    """What is wrong with a row of the CSV, or nothing."""
    if row is None:
        return "the number of cells is not that of the header"
    if not row.file or not row.label:
        return "file and label must not be empty"
    if not _is_utf8(row.label) and _is_utf8(row.file):
        return f"label {row.label!r} is not UTF-8: save the CSV in UTF-8"
    if row.split and row.split.lower() not in SPLIT_NAMES:
        return f"split {row.split!r}; allowed: {', '.join(SPLITS)}, or empty"
    if row.hash and not SHA256.fullmatch(row.hash):
        return f"hash {row.hash!r}; allowed: the 64 hex digits of a sha256 in small letters, or empty"
    return missing(folder, row.file)


def _is_utf8(text: str) -> bool:
    """Whether no byte is a stray one. The names of files may have some, and those of their folders."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


register_layout(Layout("csv", rank=10, recognises=is_csv, read=read_csv))
