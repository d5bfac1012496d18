"""A small file costs little memory and little time, whatever it says of itself."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from onepass.photos import UndecodableError, decode
from tests.unit.photos.test_decoding_refused import encoded

LIMIT = 80_000_000  # pixels


def with_scans(content: bytes, more: int) -> bytes:
    """A progressive JPEG whose last scan stands in it that many times more."""
    start = content.rindex(b"\xff\xda")
    return content[:-2] + content[start:-2] * more + b"\xff\xd9"


def progressive(side: int) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    return encoded("JPEG", Image.fromarray(noise), progressive=True, quality=30)


@pytest.mark.parametrize("size", [(1_000_000, 1), (1, 65_000), (4000, 3)])
def test_a_strip_of_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(encoded("PNG", Image.new("L", size)), LIMIT)
    assert caught.value.reason == "extreme_shape"
    assert caught.value.detail == f"{size[0]}x{size[1]} pixels; allowed: one side at most 200 times the other"


def test_a_panorama_is_a_photo() -> None:
    assert decode(encoded("PNG", Image.new("RGB", (4000, 20))), LIMIT).image.size == (4000, 20)


def test_a_jpeg_of_more_scans_than_programs_write_is_refused_at_once() -> None:
    start = time.perf_counter()
    with pytest.raises(UndecodableError) as caught:
        decode(with_scans(progressive(400), 3000), LIMIT)
    assert time.perf_counter() - start < 5  # decoding would take minutes
    assert caught.value.reason == "decompression_bomb"
    assert caught.value.detail == "more than 100 scans of 0.16 megapixels"


def test_a_large_jpeg_may_have_fewer_scans_all_pixels_together() -> None:
    content = with_scans(encoded("JPEG", Image.new("RGB", (8000, 8000)), progressive=True), 30)
    with pytest.raises(UndecodableError, match="more than 23 scans of 64 megapixels"):
        decode(content, LIMIT)


def test_a_film_behind_a_photo_is_no_scan_of_it() -> None:
    photo = progressive(64)
    film = np.random.default_rng(1).integers(0, 256, 100_000, np.uint8).tobytes() + b"\xff\xda" * 500
    assert np.array_equal(np.asarray(decode(photo + film, LIMIT).image), np.asarray(decode(photo, LIMIT).image))


def test_a_thumbnail_in_the_metadata_is_no_scan_of_it() -> None:
    file = io.BytesIO()
    exif = b"Exif\0\0" + b"\xff\xda" * 20_000
    Image.new("RGB", (64, 64)).save(file, "JPEG", exif=exif)
    assert decode(file.getvalue(), LIMIT).image.size == (64, 64)
