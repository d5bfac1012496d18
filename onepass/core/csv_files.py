"""CSV files whose bytes are the same on every machine and every version of Python."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from onepass.core.atomic_files import atomic_file

PIECE = 1 << 16  # characters written at once


def csv_line(row: Sequence[object]) -> str:
    """A line of a CSV; its cells may hold line breaks."""
    return next(_pieces([row]))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a header and a line a row; the rows may come one by one.

    File names need not be UTF-8: stray bytes stay as they are (surrogateescape).
    """
    with atomic_file(path) as file:
        for piece in _pieces(chain([columns], rows)):
            file.write(piece.encode(errors="surrogateescape"))


def _pieces(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of rows, many together."""
    text = io.StringIO()
    usual = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        # Python 3.11 leaves a carriage return unquoted, and there are files called "Icon\r".
        awkward = "\r" in "".join(map(str, row))
        (quoted if awkward else usual).writerow(row)
        if text.tell() > PIECE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
