"""CSV files whose bytes are the same on every machine and every version of Python."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

from onepass.core.atomic_files import atomic_file
from onepass.core.concurrency import batched

TOGETHER = 64  # rows written at once; one may have nine thousand characters


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
    for some in batched(rows, TOGETHER):
        text = _text(some, csv.QUOTE_MINIMAL)
        # Python 3.11 leaves a carriage return unquoted, and there are files called "Icon\r".
        yield text if "\r" not in text else "".join(map(_quoted_where_awkward, some))


def _quoted_where_awkward(row: Sequence[object]) -> str:
    awkward = "\r" in "".join(map(str, row))
    return _text([row], csv.QUOTE_ALL if awkward else csv.QUOTE_MINIMAL)


def _text(rows: Iterable[Sequence[object]], quoting: Literal[0, 1]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)
    return text.getvalue()
