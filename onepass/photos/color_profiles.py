"""Colours as their profile means them: what a phone or a camera writes in a wider space becomes sRGB.

Networks were trained on sRGB. Without this the red of an iPhone's photo, which is Display P3, is a paler one.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

RULE = "relative colorimetric with black point compensation, to sRGB; a profile that cannot be used is ignored"
FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE  # the cache is one for all threads
SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # of an image's mode, as profiles name it
NOTHING_TO_SPEAK_OF = 1  # of 255: what a profile changes that is sRGB by another name
LARGEST_PROFILE = 1 << 22  # bytes; those of printers have two million


def to_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """RGB, 8 bits a channel.

    Args:
        image: of the mode RGB, L or CMYK.
        profile: the bytes of an ICC profile, as the file had it; None or anything else: there is none.

    """
    if isinstance(profile, bytes) and len(profile) <= LARGEST_PROFILE:
        transform = _transform(profile, image.mode)
        if transform is not None:
            return ImageCms.applyTransform(image, transform) or image
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB; None where it cannot be used, or changes nothing."""
    try:
        opened = ImageCms.getOpenProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() != SPACES[mode]:
            return None
        found = ImageCms.buildTransform(
            opened,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=FLAGS,
        )
        return found if mode == "CMYK" or _changes(found, mode) else None
    except Exception:  # noqa: BLE001 - damaged metadata raises nearly every type there is; the pixels are still good
        return None


def _changes(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether it gives other colours, of a few of each kind."""
    levels = np.linspace(0, 255, 7, dtype=np.uint8)
    if mode == "L":
        probe = Image.fromarray(levels[np.newaxis])
    else:
        probe = Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3))
    given = np.asarray(probe.convert("RGB")).astype(int)
    found = np.asarray(ImageCms.applyTransform(probe, transform)).astype(int)
    return bool(np.abs(found - given).max() > NOTHING_TO_SPEAK_OF)
