"""A photo that is decoded no larger than a network needs it: how large, which pixels, and that nothing else changes."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from onepass.photos import SMALLEST, decode, decoding_recipe, smallest_size

LIMIT = 10_000_000


def picture(width: int, height: int) -> Image.Image:
    """Soft colours with some noise."""
    noise = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3))


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def mean_of_blocks(pixels: NDArray[np.uint8], down: int, across: int) -> NDArray[np.float64]:
    """The exact means; blocks at the edge may be smaller."""
    rows = [pixels[start : start + down] for start in range(0, len(pixels), down)]
    return np.array(
        [
            [row[:, start : start + across].mean(axis=(0, 1)) for start in range(0, pixels.shape[1], across)]
            for row in rows
        ]
    )


def test_twice_the_side_is_kept_and_never_less_than_prepare_decodes() -> None:
    assert smallest_size("scaled", 150) == smallest_size("scaled", 224) == SMALLEST
    assert smallest_size("scaled", 380) == 760
    assert smallest_size("exact", 150) is None


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize(
    ("size", "reduced"),
    [
        ((63, 63), (63, 63)),  # not twice as large
        ((64, 64), (32, 32)),
        ((400, 300), (34, 34)),  # JPEG by 8 to (50, 38), the others by 12 and 9
        ((2000, 40), (33, 40)),  # each side for itself: a long one may be as long as it likes
    ],
)
def test_no_side_is_reduced_below_the_smallest_nor_left_twice_as_large(
    size: tuple[int, int], reduced: tuple[int, int], file_format: str
) -> None:
    found = decode(encoded(picture(*size), file_format), LIMIT, smallest=32)
    assert (found.width, found.height) == size
    for length, whole, least in zip(found.image.size, size, reduced, strict=True):
        assert min(whole, 32) <= length < 64
        assert file_format == "JPEG" or length == least


def test_every_pixel_counts_in_what_is_no_jpeg() -> None:
    whole = picture(203, 100)
    found = np.asarray(decode(encoded(whole, "PNG"), LIMIT, smallest=20).image)
    assert np.abs(found - mean_of_blocks(np.asarray(whole), 5, 10)).max() <= 1


@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2, "progressive": True}], ids=str)
def test_a_jpeg_reduced_in_its_transform_looks_like_its_means(options: dict[str, Any]) -> None:
    content = encoded(picture(320, 240), "JPEG", quality=90, **options)
    whole = np.asarray(decode(content, LIMIT).image)
    found = np.asarray(decode(content, LIMIT, smallest=60).image)
    assert found.shape == (60, 80, 3)
    assert np.abs(found - mean_of_blocks(whole, 4, 4)).mean() < 2


def test_a_turned_photo_is_upright_and_its_size_that_of_the_whole() -> None:
    stored = picture(300, 100)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode(encoded(stored, "PNG", exif=exif), LIMIT, smallest=50)
    assert (found.width, found.height) == (100, 300)
    expected = np.rot90(np.asarray(decode(encoded(stored, "PNG"), LIMIT, smallest=50).image), -1)
    np.testing.assert_array_equal(np.asarray(found.image), expected)


def test_what_is_transparent_is_white_before_it_is_blended() -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:, ::2] = (0, 0, 0, 255)  # black, and between it black that is transparent
    found = np.asarray(decode(encoded(Image.fromarray(pixels), "PNG"), LIMIT, smallest=10).image)
    assert set(np.unique(found)) <= {127, 128}


def test_the_recipe_tells_how_far_photos_are_reduced() -> None:
    recipes = [decoding_recipe(smallest) for smallest in (None, 512, 760)]
    assert recipes[0] != recipes[1] != recipes[2]
    assert "no less than 760 pixels" in recipes[2]["scale"]
