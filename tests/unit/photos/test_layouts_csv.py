"""Photos that a CSV lists: what its columns mean, and that each mistake in it is named with its line."""

import os
from pathlib import Path

import pytest

from onepass.core import UserError
from onepass.photos import Photo, base_folder, find_photos


def listing(folder: Path, content: str | bytes, name: str = "photos.csv") -> str:
    """The root of a data set of a.jpg and b.jpg that a CSV lists."""
    for file in ("a.jpg", "b.jpg"):
        (folder / file).write_bytes(b"x")
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    ("content", "photos"),
    [
        ("file,label\nb.jpg,dog\na.jpg,cat\n", [Photo("a.jpg", "cat", "", ""), Photo("b.jpg", "dog", "", "")]),
        ("label,file\r\ncat,a.jpg\r\n", [Photo("a.jpg", "cat", "", "")]),
        (
            "file,label,split\na.jpg,cat,Val\nb.jpg,dog,\n",
            [Photo("a.jpg", "cat", "validation", ""), Photo("b.jpg", "dog", "", "")],
        ),
        ("file,label,group\na.jpg,cat,trap 7\n", [Photo("a.jpg", "cat", "", "trap 7")]),
        ("file,label,split,group\na.jpg,cat,test,g\n", [Photo("a.jpg", "cat", "test", "g")]),
        ("\ufefffile,label\na.jpg,cat\n", [Photo("a.jpg", "cat", "", "")]),
        ('file,label\na.jpg,"cat, ""Tom""\nand more"\n', [Photo("a.jpg", 'cat, "Tom"\nand more', "", "")]),
    ],
    ids=["sorted by file", "any column order", "split", "group", "split and group", "BOM", "quoted"],
)
def test_columns_say_label_split_and_group(tmp_path: Path, content: str, photos: list[Photo]) -> None:
    assert list(find_photos(listing(tmp_path, content))) == photos


def test_labels_csv_in_the_folder_is_read_instead_of_the_folders(tmp_path: Path) -> None:
    listing(tmp_path, "file,label\na.jpg,cat\n", name="labels.csv")
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs" / "1.jpg").write_bytes(b"x")
    assert list(find_photos(str(tmp_path))) == [Photo("a.jpg", "cat", "", "")]


@pytest.mark.parametrize("name", ["photos.csv", "photos.CSV", "photos.txt"])
def test_file_names_are_relative_to_the_folder_of_the_csv(tmp_path: Path, name: str) -> None:
    root = listing(tmp_path, "file,label\na.jpg,cat\n", name)
    assert [base_folder(root) / photo.file for photo in find_photos(root)] == [tmp_path / "a.jpg"]


def test_absolute_file_names_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    root = listing(tmp_path, f"file,label\n{file},cat\n")
    assert [base_folder(root) / photo.file for photo in find_photos(root)] == [file]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "file,label,colour\na.jpg,cat,red\n",
            "unknown columns ['colour']; allowed: file,label[,split][,group][,hash].",
        ),
        ("file;label\na.jpg;cat\n", "unknown columns ['file;label']; allowed: file,label[,split][,group][,hash]."),
        ("file,split\na.jpg,train\n", "no column label; found: ['file', 'split']."),
        ("", "no column file and no column label; found: []."),
        ("file,label\nc.jpg,cat\n", "line 2: c.jpg does not exist (looked in {folder})"),
        ("file,label\na.jpg,cat\nb.jpg,dog\na.jpg,cat\n", "line 4: a.jpg stands in line 2 already"),
        (
            "file,label\na.jpg,cat\nb.jpg,dog\nb.jpg,dog\na.jpg,cat\n",
            "line 4: b.jpg stands in line 3 already\n  line 5: a.jpg",
        ),
        (
            "file,label\na.jpg,cat\nb.jpg,\na.jpg,cat\n",
            "line 3: file and label must not be empty\n  line 4: a.jpg stands in line 2",
        ),
        ("file,label\na.jpg,cat\nb.jpg,\n", "line 3: file and label must not be empty"),
        ("file,label\n,cat\n", "line 2: file and label must not be empty"),
        ("file,label,split\na.jpg,cat,dev\n", "line 2: split 'dev'; allowed: train, validation, test, or empty"),
        ("file,label\na.jpg,cat,dog\n", "line 2: the number of cells is not that of the header"),
        ("file,label\na.jpg\n", "line 2: the number of cells is not that of the header"),
        ("file,label,split,group\na.jpg,cat,g7\n", "line 2: the number of cells is not that of the header"),
        ("file,label,split\na.jpg,cat\n", "line 2: the number of cells is not that of the header"),
        (b"file,label\na.jpg,caf\xe9\n", "line 2: label 'caf\\udce9' is not UTF-8: save the CSV in UTF-8"),
        ("file,label\na.jpg,cat\n".encode("utf-16"), "is not a CSV in UTF-8"),
        ('file,label\na.jpg,"cat\n', "is not a CSV in UTF-8"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_mistake_is_named_with_file_line_and_what_is_allowed(
    tmp_path: Path, content: str | bytes, complaint: str
) -> None:
    root = listing(tmp_path, content)
    with pytest.raises(UserError) as caught:
        find_photos(root)
    assert root in str(caught.value)
    assert complaint.format(folder=tmp_path) in str(caught.value)


def test_a_name_that_is_no_utf8_on_the_disk_is_found_by_the_same_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    try:
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    root = listing(tmp_path, b"file,label\ncaf\xe9/1.jpg,caf\xe9\n")
    assert [photo[:2] for photo in find_photos(root)] == [(f"{name}/1.jpg", name)]


def test_many_mistakes_are_counted_and_the_first_five_shown(tmp_path: Path) -> None:
    root = listing(tmp_path, "file,label\n" + "".join(f"{i}.jpg,cat\n" for i in range(12)))
    with pytest.raises(UserError) as caught:
        find_photos(root)
    assert str(caught.value).count("does not exist") == 5
    assert "... and 7 more" in str(caught.value)


def test_a_missing_csv_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"photos\.csv' does not exist"):
        find_photos(str(tmp_path / "photos.csv"))
