"""Colours are what the file means: profiles become sRGB, and whatever nothing is drawn on is white."""

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from onepass.photos import UndecodableError, decode, decoding, inspection_recipe
from tests.hostile.profiles import in_srgb, profile
from tests.unit.photos.test_decoding_refused import encoded

LIMIT = 1_000_000  # pixels
COLORS = np.random.default_rng(4).integers(0, 256, (24, 40, 3), np.uint8)
PICTURE = Image.fromarray(COLORS)
LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def pixels(content: bytes) -> NDArray[np.int64]:
    return np.asarray(decode(content, LIMIT).image).astype(int)


@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB"])
@pytest.mark.parametrize("file_format", LOSSLESS)
def test_a_wide_profile_becomes_srgb(file_format: str, space: str) -> None:
    found = pixels(encoded(file_format, PICTURE, icc_profile=profile(space), **LOSSLESS[file_format]))
    assert np.abs(found - in_srgb(COLORS, space)).max() <= 2
    assert np.abs(found - COLORS).max() > 20


def test_many_threads_give_the_pixels_of_one() -> None:
    contents = [
        encoded("PNG", Image.fromarray(np.roll(COLORS, number, axis=2)), icc_profile=profile("Display P3"))
        for number in range(40)
    ]
    alone = [pixels(content) for content in contents]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(pixels, contents))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_srgb_by_any_name_changes_nothing() -> None:
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(pixels(encoded("PNG", PICTURE, icc_profile=srgb)), COLORS)


@pytest.mark.parametrize(
    "given", [b"", b"x" * 200, profile("Display P3")[:150], profile("grey"), bytes(5_000_000)], ids=len
)
def test_a_profile_that_cannot_be_used_is_ignored(given: bytes) -> None:
    assert np.array_equal(pixels(encoded("TIFF", PICTURE, icc_profile=given)), COLORS)


def test_a_grey_profile_changes_the_levels_of_grey() -> None:
    levels = np.arange(256, dtype=np.uint8)[np.newaxis].repeat(4, axis=0)
    found = pixels(encoded("PNG", Image.fromarray(levels), icc_profile=profile("grey", gamma=1.8)))
    light = (levels / 255) ** 1.8
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(found - expected[..., np.newaxis]).max() <= 2


def test_a_reduced_photo_has_the_colours_of_the_whole_one() -> None:
    smooth = Image.fromarray(COLORS // 4 + 90).resize((1600, 960), Image.Resampling.BICUBIC)
    content = encoded("PNG", smooth, icc_profile=profile("Display P3"))
    whole = decode(content, 2 * LIMIT).image.reduce((3, 1))
    reduced = decode(content, 2 * LIMIT, 512).image
    assert reduced.size == whole.size
    assert np.abs(np.asarray(reduced).astype(int) - np.asarray(whole)).max() <= 3


def gif(canvas: tuple[int, int], box: tuple[int, int, int, int]) -> bytes:
    """A GIF whose one frame fills only a part of its canvas; its first palette colour is blue."""
    picture = Image.new("P", (box[2] - box[0], box[3] - box[1]), 1)
    picture.putpalette([0, 0, 255, 255, 0, 0])
    content = bytearray(encoded("GIF", picture))
    content[6:10] = struct.pack("<2H", *canvas)
    frame = content.index(b",", 13 + 3 * 2)
    content[frame + 1 : frame + 9] = struct.pack("<4H", box[0], box[1], box[2] - box[0], box[3] - box[1])
    return bytes(content)


def test_what_a_gif_does_not_draw_of_its_canvas_is_white() -> None:
    found = pixels(gif((20, 16), (4, 2, 12, 10)))
    assert found.shape == (16, 20, 3)
    expected = np.full((16, 20, 3), 255)
    expected[2:10, 4:12] = [255, 0, 0]
    assert np.array_equal(found, expected)


def bmp(samples: NDArray[np.uint16], top_down: bool = False) -> bytes:
    """A BMP of 16 bits: one of alpha, five of each colour."""
    height, width = samples.shape
    rows = samples if top_down else samples[::-1]
    padded = np.zeros((height, width + width % 2), "<u2")
    padded[:, :width] = rows
    masks = struct.pack("<4I", 0x7C00, 0x03E0, 0x001F, 0x8000)
    header = struct.pack(
        "<IiiHHIIiiII", 108, width, -height if top_down else height, 1, 16, 3, padded.nbytes, 0, 0, 0, 0
    )
    header = (header + masks).ljust(108, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + 108 + padded.nbytes, 0, 0, 14 + 108) + header + padded.tobytes()


@pytest.mark.parametrize("top_down", [False, True])
def test_what_a_bmp_with_one_bit_of_alpha_leaves_out_is_white(top_down: bool) -> None:
    samples = np.full((3, 5), 0x8000 | 0x7C00, np.uint16)  # red
    samples[0, 1] = 0x0000
    found = pixels(bmp(samples, top_down))
    assert found[0, 1].tolist() == [255, 255, 255]
    assert found[2, 4].tolist() == found[0, 0].tolist() == [255, 0, 0]


def test_a_bmp_whose_alpha_nobody_wrote_is_opaque() -> None:
    assert pixels(bmp(np.full((3, 5), 0x001F, np.uint16)))[1, 1].tolist() == [0, 0, 255]


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_formats_of_phones_are_turned_once_and_have_their_colours(file_format: str, orientation: int) -> None:
    decoding.allowed_formats()  # makes HEIF known to Pillow
    colours = Image.new("RGB", (64, 32), (200, 30, 30))
    colours.paste((30, 30, 200), (32, 0, 64, 32))
    exif = colours.getexif()
    exif[274] = orientation
    told = {"exif": exif} if file_format == "AVIF" else {}  # of HEIF the encoder takes it from the picture
    content = encoded(file_format, colours, quality=95, icc_profile=profile("Display P3"), **told)
    expected = {1: colours, 3: colours.transpose(Image.Transpose.ROTATE_180)}.get(
        orientation, colours.transpose(Image.Transpose.ROTATE_270)
    )
    found = pixels(content)
    assert found.shape == (expected.height, expected.width, 3)
    inside = np.s_[8:24, 8:24]  # away from the edge between the two colours
    assert np.abs(found[inside] - in_srgb(np.asarray(expected), "Display P3")[inside]).max() <= 8


def test_without_the_extra_heic_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    decoding.allowed_formats()
    content = encoded("HEIF", PICTURE)
    with_it = inspection_recipe(5)
    monkeypatch.setattr(decoding, "HEIC", "")
    monkeypatch.setattr(decoding, "allowed_formats", lambda: decoding.FORMATS)
    with pytest.raises(UndecodableError) as caught:
        decode(content, LIMIT)
    assert str(caught.value) == "unsupported_format: HEIC: `make install EXTRA=heic` makes it readable"
    assert inspection_recipe(5) != with_it


def test_libtiff_says_nothing_behind_our_back(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(encoded("TIFF", PICTURE, compression="tiff_lzw"))
    content[200:400] = bytes(200)
    with pytest.raises(UndecodableError):
        decode(bytes(content), LIMIT)
    assert capfd.readouterr().err == ""


def test_what_is_sound_and_unsupported_is_not_called_damaged() -> None:
    lossless = bytearray(encoded("JPEG", PICTURE))
    lossless[lossless.index(b"\xff\xc0") + 1] = 0xC3
    twelve = bytearray(encoded("JPEG", PICTURE))
    twelve[twelve.index(b"\xff\xc0") + 4] = 12
    floats = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.float32)).save(floats, "TIFF")
    lab = encoded("TIFF", PICTURE.convert("LAB"))
    for content, said in [
        (bytes(lossless), "unsupported_variant: lossless JPEG: save it as a plain one, or as PNG"),
        (bytes(twelve), "unsupported_variant: 12-bit JPEG: save it as a plain one, or as PNG"),
        (floats.getvalue(), "unsupported_variant: mode F has no fixed range; save it as 8 or 16 bits"),
        (lab, "unsupported_variant: mode LAB has no fixed range; save it as 8 or 16 bits"),
    ]:
        with pytest.raises(UndecodableError) as caught:
            decode(content, LIMIT)
        assert str(caught.value) == said
