"""Sound images of every kind show what a person sees: 8-bit RGB, upright, transparency over white."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from onepass.photos import decode

Pixels = NDArray[np.uint8]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

# Flat squares of random colours, all different and in no symmetric order; JPEG keeps them nearly exactly.
COLOURS = np.random.default_rng(5).integers(0, 256, (2, 3, 3), np.uint8)
PICTURE = np.kron(COLOURS, np.ones((16, 16, 1), np.uint8))

# By EXIF orientation: from the stored pixels to the upright ones.
UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def shown(content: bytes) -> NDArray[np.int64]:
    """The decoded pixels, as numbers that can be subtracted."""
    image = decode(content, 1_000_000).image
    assert image.mode == "RGB"
    return np.asarray(image).astype(np.int64)


def distance(one: NDArray[Any], other: NDArray[Any]) -> int:
    """The largest difference between the channels of two images of one size."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(np.int64) - other.astype(np.int64)).max())


def tiff(samples: bytes, bits: int, photometric: int = 1) -> bytes:
    """A grey TIFF of 4x1 pixels. Pillow writes none with 12 bits or with black as the largest value."""
    short, long = 3, 4
    tags = {
        256: (short, 4),  # width
        257: (short, 1),  # height
        258: (short, bits),
        259: (short, 1),  # no compression
        262: (short, photometric),  # 0: zero is white, 1: zero is black
        273: (long, 122),  # where the samples begin
        277: (short, 1),  # samples a pixel
        278: (short, 1),  # rows a strip
        279: (long, len(samples)),
    }
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in tags.items())
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + samples


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("file_format", "options"),
    [("JPEG", {"quality": 95, "subsampling": 0}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})],
)
def test_a_photo_is_turned_as_the_camera_was_held(file_format: str, options: dict[str, Any], orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(PICTURE), file_format, exif=exif, **options)
    tolerance = 4 if file_format == "JPEG" else 0
    assert distance(shown(content), UPRIGHT[orientation](PICTURE)) <= tolerance


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, 99) + bytes(4),
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 2, 999, 7),
        b"\xff" * 40,
    ],
    ids=["empty", "cut", "offset", "count", "orientation 99", "orientation as long text", "noise"],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_beside_sound_pixels_does_no_harm(file_format: str, exif: bytes) -> None:
    picture = Image.fromarray(PICTURE)
    options = {"lossless": True} if file_format == "WEBP" else {}
    content = encoded(picture, file_format, exif=b"Exif\0\0" + exif, **options)
    assert exif in content
    assert np.array_equal(shown(content), shown(encoded(picture, file_format, **options)))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(file_format: str) -> None:
    samples = np.array([[0, 255, 256, 1000, 32768, 65280, 65535]], np.uint16)
    grey = shown(encoded(Image.fromarray(samples), file_format))
    assert distance(grey, np.repeat((samples / 257)[..., None], 3, axis=2).round()) <= 1


@pytest.mark.parametrize(
    ("bits", "samples", "photometric", "expected"),
    [
        (12, bytes.fromhex("0003e8800fff"), 1, [0, 62, 127, 255]),
        (16, struct.pack("<4H", 0, 16000, 32768, 65535), 1, [0, 62, 127, 255]),
        (16, struct.pack("<4H", 0, 16000, 32768, 65535), 0, [255, 193, 128, 0]),
    ],
    ids=["12 bits", "16 bits", "16 bits, zero is white"],
)
def test_a_scanned_tiff_shows_its_whole_range(bits: int, samples: bytes, photometric: int, expected: list[int]) -> None:
    assert distance(shown(tiff(samples, bits, photometric))[..., 0], np.array([expected])) <= 1


def test_16_bit_transparent_grey_shows_white_there() -> None:
    samples = np.array([[0, 1000, 65535]], np.uint16)
    content = encoded(Image.fromarray(samples), "PNG", transparency=1000)
    assert shown(content)[0, :, 0].tolist() == [0, 255, 255]


def test_a_cmyk_jpeg_looks_like_its_rgb_original() -> None:
    content = encoded(Image.fromarray(PICTURE).convert("CMYK"), "JPEG", quality=95)
    assert distance(shown(content), PICTURE) <= 6


def palette_picture() -> Image.Image:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([0, 1, 2])
    return image


@pytest.mark.parametrize(
    ("transparency", "expected"),
    [
        (None, [RED, GREEN, BLUE]),
        (1, [RED, WHITE, BLUE]),
        (b"\xff\x00\x80", [RED, WHITE, (127, 127, 255)]),
    ],
    ids=["opaque", "one colour", "an opacity for each"],
)
def test_palette_colours_are_looked_up_and_transparent_ones_white(
    transparency: int | bytes | None, expected: list[tuple[int, int, int]]
) -> None:
    options = {} if transparency is None else {"transparency": transparency}
    assert distance(shown(encoded(palette_picture(), "PNG", **options)), np.array([expected])) <= 1


def test_the_transparent_colour_of_a_gif_is_white() -> None:
    content = encoded(palette_picture(), "GIF", transparency=1)
    assert shown(content).tolist() == [[list(RED), list(WHITE), list(BLUE)]]


@pytest.mark.parametrize(
    ("mode", "stored", "expected"),
    [
        ("RGBA", [(255, 0, 0, 255), (9, 9, 9, 0), (0, 0, 0, 128)], [RED, WHITE, (127, 127, 127)]),
        ("LA", [(7, 255), (9, 0), (0, 128)], [(7, 7, 7), WHITE, (127, 127, 127)]),
        ("L", [0, 7, 255], [(0, 0, 0), (7, 7, 7), WHITE]),
        ("1", [0, 255, 0], [(0, 0, 0), WHITE, (0, 0, 0)]),
        ("RGB", [RED, GREEN, (1, 2, 3)], [RED, GREEN, (1, 2, 3)]),
    ],
)
def test_every_common_mode_becomes_rgb_over_white(mode: str, stored: list[Any], expected: list[Any]) -> None:
    image = Image.new(mode, (3, 1))
    image.putdata(stored)
    assert distance(shown(encoded(image, "PNG")), np.array([expected])) <= 1


@pytest.mark.parametrize(
    ("file_format", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})]
)
def test_the_first_frame_of_several_is_shown(file_format: str, options: dict[str, Any]) -> None:
    first, second = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    content = encoded(first, file_format, save_all=True, append_images=[second], **options)
    with Image.open(io.BytesIO(content)) as image:
        assert getattr(image, "n_frames", 1) == 2
    assert np.array_equal(shown(content), np.full((4, 4, 3), RED))
