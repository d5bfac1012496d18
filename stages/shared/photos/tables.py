"""The CSV files between the stages: rows of named tuples, sorted by whoever writes them.

File names need not be UTF-8, so both directions keep stray bytes as they are (surrogateescape).
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from stages.shared.durable import write_whole
from stages.shared.errors import UserError


class Image(NamedTuple):
    """A row of images.csv: a file that can be used. Files with the same bytes have the same hash."""

    hash: str  # sha256 of the file's bytes, hex
    file: str  # path below data.root, or as the CSV gives it
    width: int  # pixels, upright
    height: int
    grey: int  # 1: there is no colour in it, 0: there is


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


Row = TypeVar("Row", Image, Quarantined, Assignment)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV bytes: a header line and a line a row."""
    return csv_text([columns, *rows]).encode(errors="surrogateescape")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """A line a row."""
    text = io.StringIO()
    cells = [list(map(str, row)) for row in rows]
    # Python 3.11 leaves a carriage return unquoted, and there are files called "Icon\r".
    awkward = any("\r" in cell for row in cells for cell in row)
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if awkward else csv.QUOTE_MINIMAL)
    writer.writerows(cells)
    return text.getvalue()


def write_rows(path: Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Writes a table of ``kind``."""
    write_whole(path, table(kind._fields, rows))


def parse_rows(content: bytes, kind: type[Row], name: str) -> list[Row]:
    """Rows of ``kind`` from the bytes of a table; UserError where they are not one."""
    reader = csv.reader(io.StringIO(content.decode(errors="surrogateescape"), newline=""))
    header = next(reader, [])
    if header != list(kind._fields):
        raise UserError(f"{name}: expected the columns {', '.join(kind._fields)}, found {', '.join(header) or 'none'}.")
    rows = []
    for cells in reader:
        if len(cells) != len(header):
            raise UserError(f"{name}, line {reader.line_num}: expected {len(header)} cells, found {len(cells)}.")
        rows.append(kind._make(_typed(kind, cells)))
    return rows


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Rows of ``kind`` from a file that an earlier stage wrote."""
    if not path.is_file():
        raise UserError(f"{path} is missing. `dvc repro` writes it; `dvc pull` fetches it from the team's remote.")
    return parse_rows(path.read_bytes(), kind, str(path))


def _typed(kind: type[Row], cells: list[str]) -> list[str | int]:
    return [
        int(cell) if kind.__annotations__[name] is int else cell for name, cell in zip(kind._fields, cells, strict=True)
    ]
