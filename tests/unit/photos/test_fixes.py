"""Decisions about photos are applied by content, wherever the files are, and nothing else is touched."""

from pathlib import Path

import pytest

from onepass.core import UserError
from onepass.photos import Fixed, Image, Photo, PhotoTable, apply_fixes, read_fixes

HASHES = [f"{number:064x}" for number in range(4)]


def table(labels: str = "cats dogs cats dogs") -> PhotoTable:
    """A usable photo a hash, of these classes."""
    named = enumerate(labels.split())
    photos = PhotoTable([Photo(f"{number}.jpg", label, "train", "") for number, label in named])
    photos.set_content(*((number, Image(HASHES[number], f"{number}.jpg", 8, 8, 0)) for number in range(len(photos))))
    return photos


def written(folder: Path, *lines: str) -> Path:
    path = folder / "fixes.csv"
    path.write_text("".join(f"{line}\n" for line in ("hash,label", *lines)))
    return path


def applied(photos: PhotoTable, path: Path) -> list[Fixed]:
    return apply_fixes(photos, read_fixes(path, photos.given_labels))


def labels(photos: PhotoTable) -> dict[str, str]:
    return {hash_: same[0].label for hash_, same in photos.images()}


def test_labels_change_photos_are_dropped_and_the_rest_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = table()
    path = written(tmp_path, f"{HASHES[0]},dogs", f"{HASHES[1]},drop", f"{HASHES[2]},cats", f"{'f' * 64},cats")
    fixed = applied(photos, path)
    assert [(row.hash, row.file, row.given, row.label) for row in fixed] == [
        (HASHES[0], "0.jpg", "cats", "dogs"),
        (HASHES[1], "1.jpg", "dogs", "drop"),
    ]
    assert labels(photos) == {HASHES[0]: "dogs", HASHES[2]: "cats", HASHES[3]: "dogs"}
    assert {photo.split for photo in photos} == {"train"}
    assert "data.fixes: 1 photos have another label, 1 are dropped" in capsys.readouterr().out


def test_without_decisions_nothing_changes_and_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = table()
    assert applied(photos, written(tmp_path)) == []
    assert list(labels(photos)) == HASHES
    assert capsys.readouterr().out == ""


def test_a_list_without_a_header_is_a_list_too(tmp_path: Path) -> None:
    photos = table()
    path = tmp_path / "fixes.csv"
    path.write_text(f"{HASHES[0]},drop\n\n{HASHES[1]},cats\n")
    assert len(applied(photos, path)) == 2
    assert labels(photos) == {HASHES[1]: "cats", HASHES[2]: "cats", HASHES[3]: "dogs"}


def test_one_decision_settles_the_same_bytes_under_two_labels(tmp_path: Path) -> None:
    photos = PhotoTable([Photo("a.jpg", "cats", "", ""), Photo("b.jpg", "dogs", "", "")])
    photos.set_content(*((number, Image(HASHES[0], "", 8, 8, 0)) for number in range(2)))
    assert [row.file for row in applied(photos, written(tmp_path, f"{HASHES[0]},dogs"))] == ["a.jpg"]
    assert [{photo.label for photo in same} for _, same in photos.images()] == [{"dogs"}]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["abc,cats"], "line 2: hash 'abc'; allowed: the 64 hex digits of a sha256"),
        ([HASHES[0]], "line 2: 1 cells; expected a hash and a label, or a hash and drop"),
        ([f"{HASHES[0]},"], "line 2: no label; allowed: a class, or drop"),
        ([f"{HASHES[0]},cats", f"{HASHES[0]},drop"], "line 3: drop for a photo that an earlier line calls cats"),
        ([f"{HASHES[0]},dgos"], "'dgos' is no class. Did you mean dogs? Classes are cats, dogs; a new one begins with"),
    ],
)
def test_what_is_no_decision_is_named(lines: list[str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        applied(table(), written(tmp_path, *lines))
    assert complaint in str(refusal.value)


def test_another_file_is_no_list_of_decisions(tmp_path: Path) -> None:
    path = tmp_path / "fixes.csv"
    with pytest.raises(UserError, match=r"data\.fixes: .*fixes\.csv cannot be read \(No such file"):
        applied(table(), path)
    path.write_text("file,label\n")
    with pytest.raises(UserError, match="expected the columns hash,label, found file,label"):
        applied(table(), path)
    path.write_bytes(b"hash,label\n\xff")
    with pytest.raises(UserError, match="is not a CSV in UTF-8"):
        applied(table(), path)


def test_a_class_may_not_be_called_as_what_drops_a_photo(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="drop means not to use a photo, but a class is called so"):
        applied(table("cats drop cats drop"), written(tmp_path, f"{HASHES[0]},drop"))
