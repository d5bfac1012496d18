"""What is not a sound image is refused with its reason, before it can cost memory or teach wrong pixels."""

import io
import struct
import warnings
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from onepass.photos import UndecodableError, decode

NOISE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8))
LIMIT = 1_000_000  # pixels


def encoded(file_format: str, image: Image.Image = NOISE, **options: Any) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def refusal(content: bytes, max_pixels: int = LIMIT) -> UndecodableError:
    with pytest.raises(UndecodableError) as caught:
        decode(content, max_pixels)
    assert caught.value.detail
    return caught.value


def with_wrong_checksum(png: bytes) -> bytes:
    """The PNG with one bit of the checksum after its pixels flipped."""
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    checksum = start + 4 + length
    return png[:checksum] + bytes([png[checksum] ^ 1]) + png[checksum + 1 :]


def with_nul_half(content: bytes) -> bytes:
    """What a power loss leaves of a file: its size, and the first half of its bytes."""
    return content[: len(content) // 2].ljust(len(content), b"\0")


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        content.writestr("a.jpg", encoded("JPEG"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero_byte"),
        (bytes(6000), "corrupt"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not_an_image"),
        (b"<html><body>404 Not Found</body></html>", "not_an_image"),
        (archive(), "not_an_image"),
        (encoded("PPM"), "unsupported_format"),
        (encoded("ICO"), "unsupported_format"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "corrupt"),
        (b"\0\0\0\x18ftypmp42" + bytes(60), "unsupported_format"),
        (encoded("TIFF", Image.new("I", (4, 4), 70_000)), "unsupported_variant"),
        (encoded("TIFF", Image.new("F", (4, 4), 0.5)), "unsupported_variant"),
        (with_wrong_checksum(encoded("PNG")), "corrupt"),
        (with_nul_half(encoded("PNG")), "corrupt"),
        (encoded("JPEG")[:12], "truncated"),
    ],
    ids=[
        "empty", "all NUL", "LFS pointer", "HTML", "zip", "PPM", "ICO", "HEIC header", "video", "32-bit TIFF",
        "float TIFF", "PNG checksum", "PNG half NUL", "JPEG header",
    ],
)  # fmt: skip
def test_what_is_no_usable_image_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    assert refusal(content).reason == reason


def test_pillow_alone_would_take_a_png_with_a_wrong_checksum() -> None:
    # Why the checksums are looked at in a pass of their own; where Pillow learns it, that pass can go.
    with Image.open(io.BytesIO(with_wrong_checksum(encoded("PNG")))) as image:
        image.load()


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP"])
def test_a_file_that_ends_early_is_truncated(file_format: str, kept: float) -> None:
    content = encoded(file_format)
    assert refusal(content[: int(len(content) * kept)]).reason == "truncated"


@pytest.mark.parametrize("length", range(1, 18))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "ICO"])
def test_the_first_few_bytes_of_an_image_are_refused(file_format: str, length: int) -> None:
    assert refusal(encoded(file_format)[:length]).reason in {
        "corrupt",
        "truncated",
        "not_an_image",
        "unsupported_format",
    }


@pytest.mark.parametrize("width", [1001, 1500, 2000, 2001, 100_000])
def test_above_the_pixel_limit_nothing_is_decoded(width: int) -> None:
    # The header promises far more pixels than the file has: a decoder that started would say truncated.
    content = bytearray(encoded("BMP"))
    content[18:26] = struct.pack("<ii", width, LIMIT // 1000)
    assert refusal(bytes(content)).reason == "decompression_bomb"


def test_the_pixel_limit_holds_whatever_others_do_to_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert refusal(encoded("PNG"), 64 * 64 - 1).reason == "decompression_bomb"


def test_an_image_at_the_pixel_limit_is_decoded() -> None:
    assert decode(encoded("PNG"), 64 * 64).image.size == (64, 64)


def test_the_limit_of_one_call_is_not_that_of_the_next() -> None:
    assert refusal(encoded("PNG"), 100).reason == "decompression_bomb"
    assert decode(encoded("PNG"), LIMIT).image.size == (64, 64)


def test_text_behind_a_png_that_unpacks_to_megabytes_is_refused() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 5_000_000, zip=True)
    content = encoded("PNG", pnginfo=text)
    assert len(content) < 100_000
    assert refusal(content).reason == "decompression_bomb"
