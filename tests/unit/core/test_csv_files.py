"""A CSV has the same bytes on every machine, and gives back every cell as it was."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.core import csv_line, write_csv

# Whatever os.fsdecode can return: all text, with stray bytes as U+DC80..U+DCFF.
cells = st.one_of(st.text(), st.binary().map(os.fsdecode))


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (["plain", 3, 0.5, ""], "plain,3,0.5,\n"),
        (["Icon\r", 3], '"Icon\r","3"\n'),  # Python 3.11 would write a bare carriage return, which ends the line
        (["two\r\nlines", ""], '"two\r\nlines",""\n'),
        (["new\nline", 3], '"new\nline",3\n'),
        (["comma, comma", 'a "quote"'], '"comma, comma","a ""quote"""\n'),
        ([" leading", "=1+1"], " leading,=1+1\n"),
        ([""], '""\n'),
    ],
    ids=repr,
)
def test_a_line_quotes_what_must_be_quoted(row: list[object], line: str) -> None:
    assert csv_line(row) == line


@given(st.lists(st.lists(cells, min_size=1, max_size=4)))
@settings(deadline=None)
def test_rows_come_back_as_they_were(rows: list[list[str]]) -> None:
    text = io.StringIO("".join(map(csv_line, rows)), newline="")
    assert list(csv.reader(text)) == rows


def test_a_file_has_a_header_and_keeps_stray_bytes_of_names(tmp_path: Path) -> None:
    rows = iter([[os.fsdecode(b"caf\xe9"), 1], ["gr\u00f6\u00dfe", 2]])
    write_csv(tmp_path / "new" / "photos.csv", ["file", "width"], rows)
    assert (tmp_path / "new" / "photos.csv").read_bytes() == b"file,width\ncaf\xe9,1\ngr\xc3\xb6\xc3\x9fe,2\n"


def test_a_file_whose_rows_end_in_an_error_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "photos.csv"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError):
        write_csv(path, ["file"], ([1 / (2 - number)] for number in range(4)))
    assert [file.name for file in tmp_path.iterdir()] == ["photos.csv"]
    assert path.read_bytes() == b"before"
