"""CSV files whose bytes are the same on every machine and every version of Python."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from onepass.core.atomic_files import atomic_file


def csv_line(row: Sequence[object]) -> str:
    """A line of a CSV; its cells may hold line breaks."""
    text = io.StringIO()
    cells = list(map(str, row))
    # Python 3.11 leaves a carriage return unquoted, and there are files called "Icon\r".
    awkward = any("\r" in cell for cell in cells)
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if awkward else csv.QUOTE_MINIMAL).writerow(cells)
    return text.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a header and a line a row; the rows may come one by one.

    File names need not be UTF-8: stray bytes stay as they are (surrogateescape).
    """
    with atomic_file(path) as file:
        for row in chain([columns], rows):
            file.write(csv_line(row).encode(errors="surrogateescape"))
