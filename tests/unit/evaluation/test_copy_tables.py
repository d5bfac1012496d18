"""Near-copies are listed pair by pair, and labels.csv keeps them together without losing what the user said."""

import csv
import os
from pathlib import Path

import pytest

from onepass.evaluation import NearCopies, NearCopy, write_copy_tables
from onepass.photos import Assignment, AssignmentTable, Image

ODD = 'a "quoted", name\nin two lines/' + os.fsdecode(b"caf\xe9.jpg")
Said = tuple[str, str, str]  # the split that an image is in, and the split and the group that were given


def hashed(letter: str) -> str:
    return f"{ord(letter):064x}"


def tables(
    folder: Path, said: dict[str, Said], pairs: list[str], files: dict[str, str] | None = None
) -> tuple[list[dict[str, str]], dict[str, tuple[str, str]]]:
    """The rows of near_copies.csv, and split and group of each file of labels.csv.

    Args:
        folder: where to write.
        said: of each image, which has a letter for a name.
        pairs: an evaluated and a training image each, the most alike first.
        files: more files, each with the letter of its image.

    """
    assigned = (Assignment(hashed(letter), f"label {letter}", split) for letter, (split, _, _) in sorted(said.items()))
    rows = AssignmentTable(assigned)
    images = [Image(hashed(letter), f"{letter}.jpg", 9, 9, 0, *of[1:]) for letter, of in said.items()]
    images += [Image(hashed(letter), name, 9, 9, 0) for name, letter in (files or {}).items()]
    found = [NearCopy(number / 100, hashed(pair[0]), hashed(pair[1])) for number, pair in enumerate(pairs)]
    named = {image.hash: image.file for image in reversed(images)}
    write_copy_tables(folder, NearCopies(9, found), named, rows, lambda: images)
    listed, labels = (read(folder / name) for name in ("near_copies.csv", "labels.csv"))
    assert [row["file"] for row in labels] == [image.file for image in images] * bool(pairs)
    assert all(row["label"] == f"label {row['file'][0]}" for row in labels)
    return listed, {row["file"]: (row["split"], row["group"]) for row in labels}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_each_pair_is_a_row_with_both_images_and_names_of_any_kind(tmp_path: Path) -> None:
    said = {"a": ("test", "", ""), "b": ("train", "", ""), "c": ("train", "", "")}
    write_copy_tables(
        tmp_path,
        NearCopies(1, [NearCopy(0.001, hashed("a"), hashed("c")), NearCopy(0.05, hashed("a"), hashed("b"))]),
        {hashed("a"): ODD, hashed("b"): "b.jpg", hashed("c"): "c.jpg"},
        AssignmentTable(Assignment(hashed(letter), "cats", split) for letter, (split, _, _) in said.items()),
        lambda: [Image(hashed("a"), ODD, 9, 9, 0)],
    )
    listed = [tuple(row.values()) for row in read(tmp_path / "near_copies.csv")]
    image = hashed("a"), ODD, "test", "cats"
    assert listed == [
        ("0.9990", *image, hashed("c"), "c.jpg", "cats"),
        ("0.9500", *image, hashed("b"), "b.jpg", "cats"),
    ]
    assert read(tmp_path / "labels.csv") == [
        {"file": ODD, "label": "cats", "split": "", "group": min(hashed("b"), hashed("c"))}
    ]


def test_without_near_copies_both_are_headers_only(tmp_path: Path) -> None:
    assert tables(tmp_path, {"a": ("test", "", ""), "b": ("train", "", "shoot")}, []) == ([], {})
    assert (tmp_path / "labels.csv").read_bytes() == b"file,label,split,group\n"


def test_what_is_drawn_is_drawn_together_by_what_drew_a_training_image(tmp_path: Path) -> None:
    said = {letter: ("test" if letter in "ab" else "train", "", "") for letter in "abcdef"}
    _, labels = tables(tmp_path, said, ["ac", "ad", "be"])
    first, second = hashed("c"), hashed("e")
    assert [labels[f"{letter}.jpg"] for letter in "acd"] == [("", first)] * 3
    assert [labels[f"{letter}.jpg"] for letter in "be"] == [("", second)] * 2
    assert labels["f.jpg"] == ("", "")


def test_groups_of_the_user_are_joined_and_those_without_near_copies_stay(tmp_path: Path) -> None:
    said = {
        "a": ("test", "", "holidays"),
        "b": ("test", "", "holidays"),
        "c": ("train", "", "beach"),
        "d": ("train", "", "beach"),
        "e": ("train", "", "garden"),
    }
    _, labels = tables(tmp_path, said, ["ac"])
    assert [labels[f"{letter}.jpg"] for letter in "abcd"] == [("", "beach")] * 4
    assert labels["e.jpg"] == ("", "garden")


@pytest.mark.parametrize(
    ("evaluated", "training", "split"),
    [("test", "train", "train"), ("validation", "train", "train"), ("test", "", "train"), ("train", "train", "train")],
)
def test_where_given_splits_disagree_all_members_train(
    tmp_path: Path, evaluated: str, training: str, split: str
) -> None:
    said = {"a": ("test", evaluated, ""), "b": ("train", training, ""), "c": ("test", "test", "alone")}
    _, labels = tables(tmp_path, said, ["ab"])
    assert labels == {
        "a.jpg": (split, hashed("b")),
        "b.jpg": (split, hashed("b")),
        "c.jpg": ("test", "alone"),
    }


def test_files_with_the_same_bytes_go_together_whichever_of_them_says_something(tmp_path: Path) -> None:
    said = {"a": ("test", "test", "shoot"), "b": ("train", "train", "")}
    _, labels = tables(tmp_path, said, ["ab"], {"a again.jpg": "a", "b again.jpg": "b"})
    assert set(labels.values()) == {("train", hashed("b"))}
    assert len(labels) == 4
