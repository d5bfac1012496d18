"""The pixels are those of ImageMagick, which shares no code for PNG, BMP or GIF, and no rule of colours, with Pillow.

AVIF and HEIC are left out: their decoders differ in how they enlarge colours that were stored at half the size; what
their pixels are is tested against the picture that was encoded, in tests/unit/photos/test_decoding_colors.py.
"""

import io
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from onepass.photos import UndecodableError, decode
from tests.hostile.images import KINDS, Odd, hostile_images

COUNT = 1500
CLOSE = 2  # of 255
MOST_EXCEPTIONS = 0.01  # of the usable ones
PROGRAM = next(filter(shutil.which, ("magick", "convert-im6.q16")), "")
LEFT_OUT = ("AVIF", "HEIF")
NOT_SOUND = ("bits_flipped", "lengths_wrong", "zeroed", "cut_off")  # decoders may show damage as they like


def orientation(image: Image.Image) -> int:
    """What the EXIF says, and upright where that is damaged."""
    try:
        return int(image.getexif().get(274, 1))
    except (SyntaxError, ValueError, struct.error):
        return 1


# What ImageMagick 6 does otherwise, and who is right.
KNOWN: dict[str, Callable[[Image.Image], bool]] = {
    # We: the standards of both formats have an orientation in EXIF, which browsers and viewers follow.
    "ignores the orientation of PNG and WebP": lambda image: (
        image.format in ("PNG", "WEBP") and orientation(image) not in (0, 1)
    ),
    # We: a number that the standard does not know turns nothing, and the pixels are sound.
    "refuses a TIFF of no known orientation": lambda image: image.format == "TIFF" and orientation(image) > 8,
    # We: the formats allow only a profile of the image's own kind of colours, and say that others are to be ignored.
    "applies a profile of another kind of colours": lambda image: (
        image.info.get("icc_profile", b"")[16:20] not in (b"", {"L": b"GRAY", "RGB": b"RGB "}.get(image.mode))
    ),
}
pytestmark = [
    pytest.mark.more,
    pytest.mark.skipif(
        not PROGRAM and "ONEPASS_REQUIRE_DECODERS" not in os.environ, reason="no ImageMagick; .ci/install-decoders"
    ),
]


def shown_by_imagemagick(path: Path, file_format: str, srgb: Path) -> bytes:
    """The pixels, RGB of 8 bits, of the first frame, upright and over white; none where it refuses."""
    over_white = ["-auto-orient", "-background", "white", "-alpha", "remove", "-alpha", "off"]
    to_srgb = ["-intent", "relative", "-black-point-compensation", "-profile", str(srgb)]
    as_rgb = ["-colorspace", "sRGB", "-type", "TrueColor", "-depth", "8", "rgb:-"]
    command = [PROGRAM, f"{file_format.lower()}:{path}[0]", *over_white, *to_srgb, *as_rgb]
    return subprocess.run(command, capture_output=True, check=False).stdout


def differs(odd: Odd, folder: Path) -> bool | None:
    """Whether a pixel differs; None where there is nothing to compare."""
    try:
        ours = np.asarray(decode(odd.content, 1 << 30).image).astype(int)
    except UndecodableError:
        return None
    image = Image.open(io.BytesIO(odd.content))
    if image.format in LEFT_OUT or any(known(image) for known in KNOWN.values()):
        return None
    path = folder / odd.name
    path.write_bytes(odd.content)
    theirs = np.frombuffer(shown_by_imagemagick(path, str(image.format), folder / "srgb.icc"), np.uint8)
    return theirs.size != ours.size or bool(np.abs(theirs.reshape(ours.shape) - ours).max() > CLOSE)


def test_pixels_are_those_of_another_decoder(tmp_path: Path) -> None:
    (tmp_path / "srgb.icc").write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    sound = [odd for odd in hostile_images(3, COUNT) if not odd.name.split("-", 1)[1].startswith(NOT_SOUND)]
    assert len(KINDS) > len(NOT_SOUND)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        differing = list(threads.map(lambda odd: differs(odd, tmp_path), sound))
    compared = [odd.name for odd, found in zip(sound, differing, strict=True) if found is not None]
    exceptions = [odd.name for odd, found in zip(sound, differing, strict=True) if found]
    print(f"{len(compared)} images compared, {len(exceptions)} differ")
    assert len(compared) > COUNT / 4
    assert len(exceptions) <= MOST_EXCEPTIONS * len(compared), exceptions
