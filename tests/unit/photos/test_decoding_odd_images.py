"""Real files that broke other programs, each with what ought to happen to it (shared/odd-images)."""

import csv
from typing import Any

import pytest

from onepass.photos import UndecodableError, decode
from tests.builders import SHARED

FOLDER = SHARED / "odd-images"
INDEX = FOLDER / "INDEX.csv"
LIMIT = 80_000_000  # pixels, as in params.yaml
EITHER = "rotating_50pct.gif"  # later frames are missing: both decoding the first and refusing are right

pytestmark = pytest.mark.shared
Row = dict[str, str]


def rows(*actions: str) -> list[Any]:
    """The rows whose expected action begins so; none where the folder is absent."""
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if action(row).startswith(actions)]
    return [pytest.param(row, id=ascii(row["file"])) for row in found if not row["file"].endswith(EITHER)]


def action(row: Row) -> str:
    """What ought to happen to it; where that is for the project to say, what it says of AVIF."""
    return "decode" if row["file"].endswith("xmp_tags_orientation.avif") else row["expected_action"]


def content(row: Row) -> bytes:
    return (FOLDER / row["file"]).read_bytes()


def test_the_index_is_read() -> None:
    assert len(rows("decode")) > 50
    assert len(rows("reject", "by policy: reject")) > 40


@pytest.mark.parametrize("row", rows("decode"))
def test_odd_but_sound_images_decode_upright(row: Row) -> None:
    image = decode(content(row), LIMIT).image
    size = [int(row["width"]), int(row["height"])]
    # The index gives the size as Pillow opens the file: only of a TIFF that is the upright one already.
    if row["exif_orientation"] in {"5", "6", "7", "8"} and row["pillow_format"] != "TIFF":
        size.reverse()
    assert (image.mode, image.size) == ("RGB", tuple(size))


@pytest.mark.parametrize("row", rows("decode"))
def test_reduced_they_keep_their_shape_and_say_their_whole_size(row: Row) -> None:
    whole, reduced = (decode(content(row), LIMIT, smallest) for smallest in (None, 16))
    assert (reduced.width, reduced.height) == (whole.width, whole.height) == whole.image.size
    for length, kept in zip(whole.image.size, reduced.image.size, strict=True):
        assert min(length, 16) <= kept <= 32 or kept == length


@pytest.mark.parametrize("row", rows("reject", "by policy: reject"))
def test_no_damage_is_missed_because_fewer_pixels_are_computed(row: Row) -> None:
    reasons = []
    for smallest in (None, 16):
        with pytest.raises(UndecodableError) as caught:
            decode(content(row), LIMIT, smallest)
        reasons.append(caught.value.reason)
    assert reasons[0] == reasons[1]


@pytest.mark.parametrize("row", rows("reject"))
def test_broken_images_are_refused(row: Row) -> None:
    with pytest.raises(UndecodableError):
        decode(content(row), LIMIT)


@pytest.mark.parametrize("row", rows("by policy: reject"))
def test_formats_that_are_not_allowed_are_refused_as_such(row: Row) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(content(row), LIMIT)
    assert caught.value.reason == "unsupported_format"
