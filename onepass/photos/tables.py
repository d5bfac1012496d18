"""The CSV files between the stages: rows of named tuples, sorted by whoever writes them.

File names need not be UTF-8, so both directions keep stray bytes as they are (surrogateescape).
"""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from onepass.core import Hashes, UserError, batched, find, packed, write_csv

TOGETHER = 1024  # rows that are looked up at once


class Image(NamedTuple):
    """A row of images.csv: a file that can be used. Files with the same bytes are one image, under one hash."""

    hash: str  # sha256 of the file's bytes, hex
    file: str  # path below data.root, or as the CSV gives it
    width: int  # pixels, upright
    height: int
    grey: int  # 1: there is no colour in it, 0: there is
    given_split: str = ""  # train | validation | test as the user gave it; empty where it is to be drawn
    group: str = ""  # as the user gave it; empty where there is none


class Quarantined(NamedTuple):
    """A row of quarantine.csv: a file that cannot be used, and why."""

    hash: str  # empty where the file could not be read
    file: str
    reason: str
    detail: str


class Assignment(NamedTuple):
    """A row of splits.csv: what an image means. One row a hash."""

    hash: str
    label: str
    split: str


class Fixed(NamedTuple):
    """A row of fixed.csv: a photo about which a decision was applied."""

    hash: str
    file: str
    given: str  # the label that its folder or CSV gives it
    label: str  # the one that it has instead, or drop


Row = TypeVar("Row", Image, Quarantined, Assignment, Fixed)
# Columns of few different texts: one copy of each is kept in memory.
REPEATED = ("label", "split", "given_split", "group", "reason", "given")


def write_rows(path: Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Writes a table of ``kind``."""
    write_csv(path, kind._fields, rows)


def parse_rows(content: IO[bytes], kind: type[Row], name: str, of_any_version: bool = False) -> Iterator[Row]:
    """Rows of ``kind`` from a table, one by one; UserError where it is none.

    Args:
        content: of the table.
        kind: of its rows.
        name: of the table, for the message.
        of_any_version: also where the columns that have a default are others; what is missing gets the default.

    """
    reader = csv.reader(io.TextIOWrapper(content, "utf-8", errors="surrogateescape", newline=""))
    header = next(reader, [])
    expected = [name for name in kind._fields if not (of_any_version and name in kind._field_defaults)]
    if header != expected and not (of_any_version and header[: len(expected)] == expected):
        raise UserError(f"{name}: expected the columns {', '.join(kind._fields)}, found {', '.join(header) or 'none'}.")
    defaults = [kind._field_defaults[name] for name in kind._fields[len(expected) :]]
    kinds = [_cell_of(kind, name) for name in kind._fields]
    for cells in reader:
        if len(cells) != len(header):
            raise UserError(f"{name}, line {reader.line_num}: expected {len(header)} cells, found {len(cells)}.")
        yield kind._make([typed(cell) for typed, cell in zip(kinds, cells[: len(expected)] + defaults, strict=True)])


def _cell_of(kind: type[Row], name: str) -> Callable[[str], str | int]:
    """What makes the value of a column from its text."""
    return int if kind.__annotations__[name] is int else sys.intern if name in REPEATED else str


def read_rows(path: Path, kind: type[Row]) -> Iterator[Row]:
    """Rows of ``kind`` from a file that an earlier stage wrote, one by one."""
    if not path.is_file():
        raise UserError(f"{path} is missing. `dvc repro` writes it; `dvc pull` fetches it from the team's remote.")
    with path.open("rb") as file:
        yield from parse_rows(file, kind, str(path))


def first_files(images: Iterable[Image], hashes: Hashes) -> list[Image]:
    """Of each image its first file.

    Args:
        images: rows of images.csv.
        hashes: of the images, sorted.

    Raises:
        UserError: one has no file.

    """
    found: list[Image | None] = [None] * len(hashes)
    for some in batched(images, TOGETHER):
        for image, place in zip(some, find(hashes, packed(row.hash for row in some)).tolist(), strict=True):
            if place >= 0 and found[place] is None:
                found[place] = image
    there = [image for image in found if image is not None]
    if len(there) < len(found):
        raise UserError(
            f"images.csv has no file of {len(found) - len(there)} of the images in splits.csv. Run `dvc repro --force "
            "prepare`."
        )
    return there
