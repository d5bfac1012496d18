"""From the bytes of an image file to RGB pixels, or the reason why not.

The decoder is Pillow with an allow-list of formats. Everything that changes pixels is in ``decoding_recipe``.
"""

import io
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
UNLIMITED = 1 << 62  # pixels, for bytes that have passed the limit before

# Between one and two times its limit Pillow warns and goes on; the limit is checked here instead.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Damaged metadata beside sound pixels: nothing that a user could or should act on.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class UndecodableError(Exception):
    """Bytes that are not a usable image. ``reason`` is one word for tables, ``detail`` one line for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decoding_recipe() -> dict[str, Any]:
    """Everything that decides which files are decoded, and to which pixels."""
    return {
        "decoder": f"pillow {version('pillow')}",
        "formats": list(FORMATS),
        "exif_orientation": "applied",
        "frame": "first",
        "transparency": "over white",
        "sixteen_bit": "scaled to 8",
    }


def decode(content: bytes, max_pixels: int) -> Image.Image:
    """The first frame of an image file, upright, as people see it.

    Args:
        content: the bytes of the file.
        max_pixels: refuse larger images before anything is decoded.

    Returns:
        An RGB image, 8 bits a channel.

    Raises:
        UndecodableError: with the reason zero_byte, not_an_image, unsupported_format, unsupported_variant,
            truncated, corrupt or decompression_bomb.

    """
    if not content:
        raise UndecodableError("zero_byte", "the file is empty")
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise Image.DecompressionBombError
            if image.format == "PNG":
                _check_png(content)
            _load(image)
            upright = _upright(image)
            return _rgb(upright)
    except UndecodableError:
        raise
    except Image.DecompressionBombError as error:
        megapixels = max_pixels / 1e6
        raise UndecodableError("decompression_bomb", f"above the limit of {megapixels:g} megapixels") from error
    except UnidentifiedImageError as error:
        raise _unidentified(content) from error
    except NotImplementedError as error:
        raise UndecodableError("unsupported_variant", str(error)) from error
    except Exception as error:
        raise _broken(error) from error


def _check_png(content: bytes) -> None:
    """Pillow decodes a PNG without its checksums; ``verify`` checks them, and spends the image."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        image.verify()


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except OSError as error:
        # libtiff's error is a number; the tag tells a codec that is missing here from damage.
        if (codec := image.info.get("compression")) in ("webp", "zstd", "lzma", "lerc"):
            raise UndecodableError("unsupported_variant", f"{image.format} with {codec} compression") from error
        raise
    if image.width * image.height == 0:
        raise UndecodableError("corrupt", f"{image.width}x{image.height} pixels")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the camera was held. Where the metadata cannot be read, the pixels are still good."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        if orientation in range(2, 9):
            return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001, S110 - damaged metadata raises nearly every type there is
        pass
    return image


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB; what is transparent shows white, as on a page."""
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise UndecodableError("unsupported_variant", f"mode {image.mode} has no fixed range; save it as 8 or 16 bits")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


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


def _unidentified(content: bytes) -> UndecodableError:
    """Why Pillow did not recognise the bytes, from their beginning alone: no other parser touches them."""
    if not any(content):
        return UndecodableError("corrupt", "every byte is NUL: the disk or a copy lost the content")
    if len(content) < 16:  # some of Pillow's own checks expect as many
        return UndecodableError("not_an_image", f"only {len(content)} bytes: {content!r}")
    Image.init()
    for name, (_, accept) in Image.OPEN.items():
        if accept is None or accept(content[:16]) in (False, None):
            continue
        if name in FORMATS:
            return UndecodableError("corrupt", f"begins like {name}, but its header cannot be read")
        return UndecodableError("unsupported_format", f"{name}; allowed: {', '.join(FORMATS)}")
    if content[4:8] == b"ftyp":
        return UndecodableError("unsupported_format", f"HEIC or video: save it as JPEG; allowed: {', '.join(FORMATS)}")
    return UndecodableError("not_an_image", f"begins with {content[:16]!r}")


def _broken(error: Exception) -> UndecodableError:
    """Pillow's complaint, sorted by what happened to the file."""
    message = f"{type(error).__name__}: {error}"
    cut_off = ("truncated", "unexpected end", "not enough", "eof", "end of file")
    if any(words in message.lower() for words in cut_off):
        return UndecodableError("truncated", message)
    if "too large" in message.lower():
        return UndecodableError("decompression_bomb", message)
    if any(words in message.lower() for words in ("unsupported", "not available", "conversion from")):
        return UndecodableError("unsupported_variant", message)
    return UndecodableError("corrupt", message)
