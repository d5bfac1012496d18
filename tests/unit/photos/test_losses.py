"""A class that vanishes, and a share of unusable photos that nobody allowed, stop the run with what was lost."""

from pathlib import Path

import pytest

from onepass.core import UserError
from onepass.photos import Photo, PhotoTable, Quarantined, find_photos, refuse_losses, report_losses
from onepass.photos.tables import Image

TABLE = Path("data/prepared/quarantine.csv")


def looked_into(files: dict[str, str]) -> tuple[PhotoTable, list[Quarantined]]:
    """A table of files in class folders, each with the reason why it cannot be used, or none."""
    photos = PhotoTable(Photo(file, file.split("/")[0], "", "") for file in files)
    refused = []
    for number, file in enumerate(sorted(files)):
        hash_ = f"{number:064x}"
        if reason := files[file]:
            refused.append(Quarantined(hash_, file, reason, "as it is"))
        else:
            photos.set_content((number, Image(hash_, file, 8, 8, 0)))
    return photos, refused


def message(files: dict[str, str], most: float) -> str:
    with pytest.raises(UserError) as caught:
        refuse_losses(*looked_into(files), most, TABLE)
    return str(caught.value)


def test_a_class_of_which_no_photo_is_usable_stops_the_run_however_much_is_allowed() -> None:
    files = {"cats/1": "", "cats/2": "", "dogs/1": "truncated", "dogs/2": "zero_byte", "dogs/3": "zero_byte"}
    assert message(files, 1.0) == (
        "1 of 2 classes would be lost, none of their files can be used:\n  dogs: 3 files, 1 truncated, 2 zero_byte\n"
        "Mend or replace them (data/prepared/quarantine.csv has each), or take the class away from data.root.\n"
        "For example:\n  dogs/1: truncated, as it is\n  dogs/2: zero_byte, as it is"
    )


def test_a_larger_share_than_is_allowed_stops_the_run() -> None:
    files = {"cats/1": "", "cats/2": "", "dogs/1": "truncated", "dogs/2": ""}
    refuse_losses(*looked_into(files), 0.25, TABLE)
    assert message(files, 0.24) == (
        "1 of 4 photos cannot be used: 1 truncated. Allowed: a share of 0.24 (data.max_quarantined). Mend or take away "
        "what data/prepared/quarantine.csv lists, or allow more if that is as it should be.\n"
        "For example:\n  dogs/1: truncated, as it is"
    )


def test_what_lies_where_no_photo_is_expected_does_not_count() -> None:
    photos = PhotoTable([Photo("a.txt", "", "", "", "outside_class_folders"), Photo("cats/1", "cats", "", "")])
    photos.set_content((1, Image(f"{1:064x}", "cats/1", 8, 8, 0)))
    refuse_losses(photos, [Quarantined("", "a.txt", "outside_class_folders", "")], 0, TABLE)


def test_a_class_folder_without_a_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("train/cats", "train/dogs", "test/cats", "test/dogs", "train/.hidden"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("train/cats/1", "train/dogs/1", "test/cats/1"):
        (tmp_path / file).write_bytes(b"x")
    report_losses(find_photos(str(tmp_path)), [], TABLE)
    assert "without a file, and so no classes:\n  test/dogs\n" in capsys.readouterr().out
