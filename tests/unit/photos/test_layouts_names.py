"""Any name that a disk can hold comes back unchanged from the tables between the stages."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.core import UserError
from onepass.photos import Assignment, Image, Quarantined, find_photos, parse_rows, read_rows, write_rows
from tests.builders import table

NFC, NFD = "\u00e9clair", "e\u0301clair"
NAMES = [
    "two words",
    " leading and trailing ",
    "it's",
    '"quoted"',
    "comma, comma",
    "new\nline",
    "Icon\r",  # macOS puts a file of this name into each folder that has its own icon
    "tab\t",
    "back\\slash",
    "#hash",
    "\U0001f408",
    NFC,
    NFD,
    os.fsdecode(b"caf\xe9"),  # Latin-1: no UTF-8
    "\ufeffBOM",
    "line\u2028separator",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_an_odd_name_survives_disk_table_and_back(tmp_path: Path, name: str) -> None:
    file = tmp_path / "root" / name / f"{name}.jpg"
    try:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    photos = find_photos(str(tmp_path / "root"))
    assert [(photo.file, photo.label) for photo in photos] == [(f"{name}/{name}.jpg", name)]

    rows = [Image("0" * 64, photos[0].file, 3, 2, 0), Image("1" * 64, "plain/1.jpg", 1, 1, 1)]
    write_rows(tmp_path / "images.csv", Image, rows)
    assert list(read_rows(tmp_path / "images.csv", Image)) == rows


def test_names_that_only_look_alike_stay_two_files(tmp_path: Path) -> None:
    (tmp_path / "cakes").mkdir()
    for name in (NFC, NFD):
        (tmp_path / "cakes" / f"{name}.jpg").write_bytes(b"x")
    if len(list((tmp_path / "cakes").iterdir())) == 1:
        pytest.skip("this file system takes NFC and NFD for one name")
    assert [photo.file for photo in find_photos(str(tmp_path))] == [f"cakes/{NFD}.jpg", f"cakes/{NFC}.jpg"]


# Whatever os.fsdecode can return, and what a CSV can hold: all text, with stray bytes as U+DC80..U+DCFF.
cells = st.one_of(st.text(), st.binary().map(os.fsdecode))


@given(st.lists(st.builds(Quarantined, cells, cells, cells, cells)))
@settings(deadline=None)
def test_a_table_gives_back_exactly_what_was_put_in(rows: list[Quarantined]) -> None:
    assert list(parse_rows(BytesIO(table(Quarantined._fields, rows)), Quarantined, "quarantine.csv")) == rows


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "x.csv: expected the columns hash, label, split, found none."),
        (b"hash,label\na,b\n", "x.csv: expected the columns hash, label, split, found hash, label."),
        (b"hash,label,split\na,b\n", "x.csv, line 2: expected 3 cells, found 2."),
    ],
)
def test_what_is_no_such_table_is_refused_with_expected_and_found(content: bytes, complaint: str) -> None:
    with pytest.raises(UserError) as caught:
        list(parse_rows(BytesIO(content), Assignment, "x.csv"))
    assert complaint in str(caught.value)


def test_a_missing_table_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"splits\.csv is missing\. `dvc repro` writes it"):
        list(read_rows(tmp_path / "splits.csv", Assignment))
