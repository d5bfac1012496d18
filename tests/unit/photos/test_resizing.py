"""What the network sees of an image: a square, shrunk without losing what lies between the samples."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from onepass.photos import Framing, decode, resize, resizing


@pytest.mark.parametrize("size", [(1, 1), (50, 70), (500, 375), (640, 480), (300, 3000)])
@pytest.mark.parametrize("side", [1, 8, 150, 224])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizing_gives_the_square_that_keras_gives(size: tuple[int, int], side: int, interpolation: str) -> None:
    from onepass.tensorflow import keras

    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    pixels = resize(Image.fromarray(noise), side, interpolation)
    resizing = keras.layers.Resizing(side, side, interpolation, antialias=True, dtype="uint8")
    expected = np.asarray(resizing(noise))
    assert pixels.shape == (side, side, 3)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, expected)


def test_shrinking_blends_all_pixels() -> None:
    # Without antialias fine stripes become black or white: training and prediction lose accuracy.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    pixels = resize(Image.fromarray(stripes), 8)
    assert pixels.min() >= 112
    assert pixels.max() <= 144


@pytest.mark.parametrize("size", [(50, 70), (301, 97), (3, 900)])
def test_a_large_image_is_resized_in_bands_to_the_same_pixels(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))
    whole = resize(image, 20)
    for pixels in (1, 1000, 5000):
        monkeypatch.setattr(resizing, "BAND_PIXELS", pixels)
        np.testing.assert_array_equal(resize(image, 20), whole)


def test_the_same_file_gives_the_same_pixels_as_ever() -> None:
    y, x = np.mgrid[0:60, 0:80]
    picture = np.stack([3 * x, 4 * y, (x * y) % 256, 255 - x], axis=2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    pixels = resize(decode(file.getvalue(), 1_000_000).image, 32)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == (
        "130a09a3999aca54e45e5040324ba2e4804050c038ccfeca9bd021bb5c82436f"
    ), (
        "Decoding or resizing gives other pixels than before. If that is meant, decoding_recipe() or "
        "RESIZE_RECIPES in onepass/photos must change as well, or features of the old pixels are reused; "
        "then pin the new sum here."
    )


@pytest.mark.parametrize(("size", "crop", "resized"), [((30, 20), 1.0, 16), ((21, 50), 0.875, 18), ((7, 7), 0.5, 32)])
def test_a_crop_is_the_middle_of_the_square_in_the_middle(size: tuple[int, int], crop: float, resized: int) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(256, size=(*size[::-1], 3), dtype=np.uint8))
    framing = Framing(16, crop)
    assert framing.resized == resized
    length = min(size)
    left, top = ((one - length) // 2 for one in size)
    square = resize(image.crop((left, top, left + length, top + length)), resized)
    start = (resized - 16) // 2
    np.testing.assert_array_equal(framing.pixels(image), square[start : start + 16, start : start + 16])


def test_without_a_crop_the_whole_photo_is_seen() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(256, size=(9, 40, 3), dtype=np.uint8))
    np.testing.assert_array_equal(Framing(16).pixels(image), resize(image, 16))
