"""Any mode of Pillow to one without transparency, palette or deep samples; what is transparent shows white."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from onepass.photos.refusals import UndecodableError

BITFIELDS = 3  # a BMP whose header says which bits of a pixel are what
ALPHA_MASK = slice(66, 70)  # in the header of a BMP that has one


class Opened(NamedTuple):
    """What only the file says of an image, and no longer once its pixels are loaded."""

    drawn: tuple[int, int, int, int] | None  # left, top, right, bottom of what a GIF draws of its canvas
    opaque: NDArray[np.bool_] | None  # (height, width), of a BMP of 16 bits with alpha


def look(image: Image.Image, content: bytes) -> Opened:
    """Before the pixels of ``image`` are loaded.

    Args:
        image: just opened.
        content: of its file.

    """
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    if not tiles:
        return Opened(None, None)
    if image.format == "GIF":
        return Opened(tiles[0][1], None)
    return Opened(None, _opaque(image, content, *tiles[0][2:]) if image.format == "BMP" else None)


def flatten(image: Image.Image, opened: Opened) -> Image.Image:
    """RGB, L or CMYK, 8 bits a channel: the last two only where nothing is transparent.

    Raises:
        UndecodableError: unsupported_variant, samples without a fixed range.

    """
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise UndecodableError("unsupported_variant", f"mode {image.mode} has no fixed range; save it as 8 or 16 bits")
    if opened.opaque is not None:
        image = image.convert("RGB")
        image.putalpha(Image.fromarray(np.where(opened.opaque, 255, 0).astype(np.uint8)))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if opened.drawn not in (None, (0, 0, *image.size)):
        canvas = Image.new("RGB", image.size, "white")
        canvas.paste(image.crop(opened.drawn).convert("RGB"), opened.drawn)
        return canvas
    return image


def _opaque(image: Image.Image, content: bytes, offset: int, packing: Any) -> NDArray[np.bool_] | None:
    """Where a BMP of 16 bits a pixel is opaque. Pillow reads alpha of 32 bits, and none of these."""
    header, bits, compression = (int.from_bytes(content[at : at + 4], "little") for at in (14, 28, 30))
    mask = int.from_bytes(content[ALPHA_MASK], "little") if header >= 56 else 0
    if bits & 0xFFFF != 16 or compression != BITFIELDS or not mask:
        return None
    _, stride, direction = packing
    samples = np.frombuffer(content, "<u2", stride // 2 * image.height, offset).reshape(image.height, -1)
    found = samples[::direction, : image.width] & mask != 0
    return found if found.any() else None  # many programs write no alpha where they might


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits. Pillow's own conversion would clip all above 255 to white."""
    samples = np.asarray(image).astype(np.uint32)
    # A TIFF says when only 12 of its 16 bits are used, and when 0 is white.
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(ExifTags.Base.BitsPerSample, (16,))[0]
    scaled = (samples * 255 // ((1 << bits) - 1)).clip(0, 255).astype(np.uint8)
    grey = Image.fromarray(255 - scaled if tags.get(ExifTags.Base.PhotometricInterpretation) == 0 else scaled)
    if "transparency" in image.info:
        grey.putalpha(Image.fromarray(np.where(samples == image.info["transparency"], 0, 255).astype(np.uint8)))
    return grey
