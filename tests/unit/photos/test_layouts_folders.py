"""What each place in a folder of photos means, and that no file below it is lost in silence."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from onepass.core import UserError
from onepass.photos import Photo, base_folder, find_photos

SCANDIR = os.scandir


def tree(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"x")


def labels(root: Path) -> dict[str, str]:
    return {photo.file: photo.label for photo in find_photos(str(root))}


def test_class_folders_label_what_is_in_them_at_any_depth(tmp_path: Path) -> None:
    tree(tmp_path, "dogs/1.jpg", "cats/2.jpg", "cats/2019/summer/3.JPG")
    assert list(find_photos(str(tmp_path))) == [
        Photo("cats/2.jpg", "cats", "", ""),
        Photo("cats/2019/summer/3.JPG", "cats", "", ""),
        Photo("dogs/1.jpg", "dogs", "", ""),
    ]


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("val", "validation"),
        ("valid", "validation"),
        ("validation", "validation"),
        ("VAL", "validation"),
        ("test", "test"),
    ],
)
def test_split_folders_give_split_and_label(tmp_path: Path, folder: str, split: str) -> None:
    tree(tmp_path, "train/cats/1.jpg", "train/dogs/deep/2.jpg", f"{folder}/cats/3.jpg")
    assert set(find_photos(str(tmp_path))) == {
        Photo("train/cats/1.jpg", "cats", "train", ""),
        Photo("train/dogs/deep/2.jpg", "dogs", "train", ""),
        Photo(f"{folder}/cats/3.jpg", "cats", split, ""),
    }


def test_a_class_may_be_called_test(tmp_path: Path) -> None:
    tree(tmp_path, "test/1.jpg", "field/2.jpg")
    assert labels(tmp_path) == {"test/1.jpg": "test", "field/2.jpg": "field"}


def test_split_folders_beside_class_folders_are_an_error_that_names_both(tmp_path: Path) -> None:
    tree(tmp_path, "train/cats/1.jpg", "test/cats/2.jpg", "horses/3.jpg")
    with pytest.raises(UserError) as caught:
        find_photos(str(tmp_path))
    assert "split folders test, train and beside them horses." in str(caught.value)
    assert "move 'horses' elsewhere" in str(caught.value)


@pytest.mark.parametrize(
    "hidden", [".hidden.jpg", "cats/.hidden.jpg", "cats/.thumbs/1.jpg", ".git/cats/1.jpg", "cats/._1.jpg"]
)
def test_hidden_files_are_refused_and_not_labelled(tmp_path: Path, hidden: str) -> None:
    tree(tmp_path, "cats/1.jpg", hidden)
    assert list(find_photos(str(tmp_path))) == sorted(
        [Photo(hidden, "", "", "", refused="hidden"), Photo("cats/1.jpg", "cats", "", "")]
    )


def test_a_hidden_folder_above_the_photos_does_not_matter(tmp_path: Path) -> None:
    tree(tmp_path, ".cache/photos/cats/1.jpg")
    assert labels(tmp_path / ".cache" / "photos") == {"cats/1.jpg": "cats"}


@pytest.mark.parametrize(
    ("classified", "stray"),
    [("cats/1.jpg", "stray.jpg"), ("train/cats/1.jpg", "stray.jpg"), ("train/cats/1.jpg", "train/stray.jpg")],
)
def test_a_file_without_a_class_is_refused(tmp_path: Path, classified: str, stray: str) -> None:
    tree(tmp_path, classified, stray)
    refused = {photo.file: photo.refused for photo in find_photos(str(tmp_path))}
    assert refused == {classified: "", stray: "no_label"}


def test_linked_folders_and_files_are_followed(tmp_path: Path) -> None:
    tree(tmp_path, "elsewhere/1.jpg", "elsewhere/deep/2.jpg", "root/cats/3.jpg")
    (tmp_path / "root" / "dogs").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "cats" / "4.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    assert labels(tmp_path / "root") == {
        "cats/3.jpg": "cats",
        "cats/4.jpg": "cats",
        "dogs/1.jpg": "dogs",
        "dogs/deep/2.jpg": "dogs",
    }


def test_a_linked_root_is_followed(tmp_path: Path) -> None:
    tree(tmp_path, "real/cats/1.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert labels(tmp_path / "link") == {"cats/1.jpg": "cats"}


@pytest.mark.parametrize("target", [".", "..", "../..", "self"])
def test_a_loop_of_links_ends_and_repeats_no_file(tmp_path: Path, target: str) -> None:
    tree(tmp_path, "root/cats/deep/1.jpg")
    (tmp_path / "root" / "cats" / "deep" / "self").symlink_to(target)
    files = [photo.file for photo in find_photos(str(tmp_path / "root")) if photo.file.endswith(".jpg")]
    assert files == ["cats/deep/1.jpg"]


class OrderedScan(Iterator["os.DirEntry[str]"]):
    """os.scandir of a file system that lists names from a to z, or from z to a."""

    def __init__(self, path: str, *, backwards: bool) -> None:
        with SCANDIR(path) as entries:
            self.entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=backwards))

    def __next__(self) -> "os.DirEntry[str]":
        return next(self.entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """The folder was closed in ``__init__``."""


def test_two_links_to_a_folder_mean_the_same_in_any_order_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One label on one machine and another on the next would be the worst of silent mistakes.
    tree(tmp_path, "elsewhere/1.jpg", "root/cats/2.jpg", "root/dogs/3.jpg")
    for name in ("cats", "dogs"):
        (tmp_path / "root" / name / "more").symlink_to(tmp_path / "elsewhere")
    found = []
    for backwards in (False, True):
        monkeypatch.setattr(os, "scandir", partial(OrderedScan, backwards=backwards))
        found.append(labels(tmp_path / "root"))
    assert found[0] == found[1]


def test_a_missing_root_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        find_photos("photos")
    assert f"data.root: 'photos' does not exist (looked in {tmp_path})" in str(caught.value)


def test_an_empty_root_holds_no_photos(tmp_path: Path) -> None:
    assert list(find_photos(str(tmp_path))) == []


def test_a_folder_called_like_a_csv_is_a_folder(tmp_path: Path) -> None:
    tree(tmp_path, "photos.csv/cats/1.jpg")
    root = tmp_path / "photos.csv"
    assert base_folder(str(root)) == root
    assert labels(root) == {"cats/1.jpg": "cats"}
