"""Whatever the bytes, decoding ends in an RGB image or in UndecodableError: one bad file stops no run."""

import io
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from onepass.photos import UndecodableError, decode
from onepass.photos.decoding import FORMATS

LIMIT = 100_000  # pixels; small, so that no example takes long
PICTURE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (12, 9, 3), np.uint8))
SIGNATURES = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*"]


class Damage(NamedTuple):
    """A run of bytes that is replaced by another, which may be longer, shorter or none."""

    place: float  # 0..1 of the file
    removed: int
    inserted: bytes


damages = st.builds(Damage, st.floats(0, 1), st.integers(0, 64), st.binary(max_size=8))


def encoded(file_format: str, **options: bytes) -> bytes:
    file = io.BytesIO()
    PICTURE.save(file, file_format, **options)
    return file.getvalue()


def damaged(content: bytes, damage: list[Damage]) -> bytes:
    for place, removed, inserted in damage:
        start = int(place * len(content))
        content = content[:start] + inserted + content[start + removed :]
    return content


def decoded(content: bytes, smallest: int | None = None) -> Image.Image | None:
    """The image, or None where it is refused as promised; any other exception passes."""
    try:
        image = decode(content, LIMIT, smallest).image
    except UndecodableError as refusal:
        assert refusal.reason
        assert refusal.detail
        return None
    assert image.mode == "RGB"
    assert 0 < image.width * image.height <= LIMIT
    return image


@given(st.sampled_from(SIGNATURES), st.binary(max_size=200))
@example(b"", b"B")
@settings(max_examples=300, deadline=None)
def test_any_bytes_decode_or_are_refused(signature: bytes, rest: bytes) -> None:
    decoded(signature + rest)


@pytest.mark.parametrize("file_format", FORMATS)
def test_any_damage_decodes_or_is_refused(file_format: str) -> None:
    sound = encoded(file_format)
    assert decoded(sound) is not None

    @given(st.lists(damages, min_size=1, max_size=4))
    @settings(max_examples=200, deadline=None)
    def check(damage: list[Damage]) -> None:
        whole, reduced = (decoded(damaged(sound, damage), smallest) for smallest in (None, 4))
        assert (whole is None) == (reduced is None)

    check()


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_no_flipped_byte_of_png_pixels_goes_unnoticed(place: int, flip: int) -> None:
    content = bytearray(encoded("PNG"))
    start = content.index(b"IDAT")
    end = content.index(b"IEND") - 4
    content[start + place % (end - start)] ^= flip
    assert decoded(bytes(content)) is None


@given(st.binary(max_size=64))
@settings(max_examples=200, deadline=None)
def test_any_exif_leaves_a_sound_jpeg_usable(exif: bytes) -> None:
    image = decoded(encoded("JPEG", exif=b"Exif\0\0" + exif))
    assert image is not None
    assert sorted(image.size) == sorted(PICTURE.size)
