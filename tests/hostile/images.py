"""Odd images by the thousand: every format with every flaw, and what may become of each; one seed, one set of bytes."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from onepass.photos.decoding import allowed_formats
from tests.hostile.profiles import profile

USABLE = frozenset({"usable"})
DAMAGED = frozenset({"truncated", "corrupt", "not_an_image", "unsupported_variant", "unsupported_format", "zero_byte"})
BOMB = frozenset({"decompression_bomb"})
EITHER = USABLE | DAMAGED | BOMB | {"extreme_shape"}  # where a flaw may hit bytes that mean nothing, or the size


class Odd(NamedTuple):
    """An image file and what may become of it: usable, or a reason of the quarantine."""

    name: str
    content: bytes
    expected: frozenset[str]


Dice = random.Random


def hostile_images(seed: int, count: int) -> Iterator[Odd]:
    """So many of them, of all kinds in turn."""
    allowed_formats()  # makes HEIF known to Pillow
    for number in range(count):
        dice = random.Random(f"{seed}-{number}")
        kind = KINDS[number % len(KINDS)]
        content, ending, expected = kind(dice)
        yield Odd(f"{number:05d}-{kind.__name__.strip('_')}.{ending}", content, expected)


def picture(dice: Dice, mode: str = "RGB") -> Image.Image:
    """A few colours and some noise, of a small size."""
    width, height = dice.randrange(8, 90), dice.randrange(8, 90)
    random_ = np.random.default_rng(dice.randrange(1 << 30))
    small = random_.integers(0, 256, (3, 4, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    noisy = (smooth + random_.integers(-6, 7, smooth.shape)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(noisy).convert(mode)


FORMATS: dict[str, tuple[str, list[dict[str, Any]]]] = {  # ending, and ways to save
    "JPEG": ("jpg", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}, {"optimize": True}]),
    "PNG": ("png", [{}, {"compress_level": 0}, {"optimize": True}]),
    "GIF": ("gif", [{}, {"interlace": 0}]),
    "BMP": ("bmp", [{}]),
    "WEBP": ("webp", [{"lossless": True}, {"quality": 80}, {"method": 6}]),
    "TIFF": ("tif", [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_deflate"}, {"compression": "packbits"}]),
    "AVIF": ("avif", [{"quality": 90, "speed": 10}]),
    "HEIF": ("heic", [{"quality": 90}]),
}


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The bytes of the file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def any_file(dice: Dice) -> tuple[bytes, str]:
    """A sound file of any format, with its ending."""
    file_format = dice.choice(list(FORMATS))
    ending, ways = FORMATS[file_format]
    return saved(picture(dice), file_format, **dice.choice(ways)), ending


def sound(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    return *any_file(dice), USABLE


def wrong_ending(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    return any_file(dice)[0], dice.choice(["jpg", "png", "JPG", "jpeg", "bin", "txt"]), USABLE


def cut_off(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """Within its first four fifths: decoders need no more of some formats than this."""
    content, ending = any_file(dice)
    return (
        content[: dice.randrange(len(content) * 4 // 5)],
        ending,
        DAMAGED | ({"usable"} if ending == "gif" else set()),
    )


def bits_flipped(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    content, ending = any_file(dice)
    damaged = bytearray(content)
    for _ in range(dice.choice([1, 3, 20])):
        damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged), ending, EITHER


def lengths_wrong(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """Four bytes of the beginning, where sizes and lengths stand, say something else."""
    content, ending = any_file(dice)
    damaged = bytearray(content)
    place = dice.randrange(2, min(60, len(damaged) - 4))
    damaged[place : place + 4] = dice.choice(
        [b"\xff" * 4, bytes(4), struct.pack("<I", 1 << 28), struct.pack(">I", 1 << 28)]
    )
    return bytes(damaged), ending, EITHER


def zeroed(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """What a loss of power leaves: the size, and only the first bytes."""
    content, ending = any_file(dice)
    kept = dice.randrange(len(content) // 2)
    return content[:kept].ljust(len(content), b"\0"), ending, EITHER


def no_image(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    content = dice.choice(
        [
            b"",
            b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            b"PK\x03\x04" + bytes(40),
            dice.randbytes(300),
            b"\0\0\0\x18ftypmp42" + bytes(80),
            b"%PDF-1.4\n" + bytes(50),
        ]
    )
    return content, dice.choice(["jpg", "png"]), DAMAGED


def orientation(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    file_format = dice.choice(["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    exif = Image.Exif()
    exif[274] = dice.randrange(0, 12)
    return saved(picture(dice), file_format, exif=exif), FORMATS[file_format][0], USABLE


def damaged_metadata(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    file_format = dice.choice(["JPEG", "PNG", "WEBP"])
    exif = b"Exif\0\0" + dice.choice([b"II*\0", b"MM\0*", b""]) + dice.randbytes(dice.randrange(60))
    return saved(picture(dice), file_format, exif=exif), FORMATS[file_format][0], USABLE


def colour_profile(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    file_format = dice.choice(["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    whole = profile(dice.choice(["Display P3", "Adobe RGB", "sRGB", "grey"]))
    given = dice.choice([whole, whole, whole[: dice.randrange(len(whole))], dice.randbytes(200)])
    image = picture(dice, dice.choice(["RGB", "L"]) if file_format in ("JPEG", "PNG", "TIFF") else "RGB")
    return saved(image, file_format, icc_profile=given), FORMATS[file_format][0], USABLE


def mode(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """Transparency, palettes, grey, one bit, sixteen bits, CMYK."""
    file_format, name = dice.choice(
        [
            *(("PNG", name) for name in ("RGBA", "LA", "P", "L", "1", "I;16")),
            *(("TIFF", name) for name in ("RGBA", "L", "1", "P", "CMYK", "I;16")),
            *(("GIF", name) for name in ("P", "L")),
            *(("WEBP", "RGBA"), ("AVIF", "RGBA"), ("BMP", "P"), ("BMP", "1"), ("BMP", "L"), ("JPEG", "CMYK")),
        ]
    )
    image = picture(dice)
    if name == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif name in ("RGBA", "LA"):
        image.putalpha(picture(dice, "L").resize(image.size))
        image = image.convert(name)
    else:
        image = image.convert(name)
    return saved(image, file_format), FORMATS[file_format][0], USABLE


def frames(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    file_format = dice.choice(["GIF", "PNG", "WEBP", "TIFF"])
    first = picture(dice)
    others = [picture(dice).resize(first.size) for _ in range(dice.randrange(1, 4))]
    return saved(first, file_format, save_all=True, append_images=others), FORMATS[file_format][0], USABLE


def strip(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """Much longer than wide."""
    file_format = dice.choice(["PNG", "GIF", "TIFF", "BMP"])
    size = (dice.randrange(3000, 40_000), dice.randrange(1, 4))
    image = Image.new("L", size if dice.random() < 0.5 else size[::-1], 99)
    return saved(image, file_format), FORMATS[file_format][0], frozenset({"extreme_shape"})


def declared_size(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """A PNG of a few bytes that says it has gigapixels."""
    side = dice.choice([20_000, 60_000, 2_000_000_000])
    body = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + saved(picture(dice), "PNG")[33:], "png", BOMB | {"corrupt", "truncated"}


def many_scans(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    content = saved(picture(dice), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    return content[:-2] + content[start:-2] * dice.randrange(200, 3000) + b"\xff\xd9", "jpg", BOMB


def other_format(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    file_format = dice.choice(["PPM", "ICO", "TGA", "PCX", "JPEG2000", "SGI", "ICNS"])
    image = picture(dice).resize((32, 32))
    return saved(image, file_format), file_format.lower(), frozenset({"unsupported_format", "not_an_image"})


def unsupported_variant(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    found = dice.choice(["lossless", "12-bit", "float", "lab", "integer"])
    only = frozenset({"unsupported_variant"})
    if found in ("lossless", "12-bit"):
        content = bytearray(saved(picture(dice), "JPEG"))
        frame = content.index(b"\xff\xc0")
        content[frame + 1 if found == "lossless" else frame + 4] = 0xC3 if found == "lossless" else 12
        return bytes(content), "jpg", only
    image = picture(dice, "LAB") if found == "lab" else picture(dice, "F" if found == "float" else "I")
    return saved(image, "TIFF"), "tif", only


def bytes_behind(dice: Dice) -> tuple[bytes, str, frozenset[str]]:
    """A film, or rubbish, behind a sound photo."""
    content = saved(picture(dice), "JPEG")
    return content + dice.randbytes(dice.randrange(1, 5000)), "jpg", USABLE


Kind = Callable[[Dice], tuple[bytes, str, frozenset[str]]]
KINDS: list[Kind] = [
    *(sound, wrong_ending, cut_off, bits_flipped, orientation, colour_profile, mode, frames, bytes_behind, no_image),
    *(lengths_wrong, zeroed, damaged_metadata, strip, declared_size, many_scans, other_format, unsupported_variant),
]
