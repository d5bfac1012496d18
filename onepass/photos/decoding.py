"""From the bytes of an image file to RGB pixels, or the reason why not.

The decoder is Pillow with an allow-list of formats. A photo may be asked for no larger than a network needs it, which
is decoded several times faster. Everything that changes pixels is in ``decoding_recipe``.
"""

import io
import re
import warnings
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
UNLIMITED = 1 << 62  # pixels, for bytes that have passed the limit before
# Pixels that height and width keep at least, whatever is asked for: prepare, which looks into every photo, knows no
# network, and decodes just what all networks of up to half this side are given.
SMALLEST = 512
# A strip of pixels is no photo, and its filters would take as much memory as its pixels.
MOST_ELONGATED = 200  # times as long as wide
# Of a JPEG that is sent in many scans, each over all pixels: a file of kilobytes can keep a decoder busy for minutes.
# Programs write up to a dozen.
MOST_SCANNED = 1_500_000_000  # pixels, all scans together
MOST_SCANS = 100
JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # of a segment with a length, or of the end
UPRIGHT = {  # what turns a photo, by its EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
TURNED_ON_ITS_SIDE = (5, 6, 7, 8)

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


class Decoded(NamedTuple):
    """A photo as people see it."""

    image: Image.Image  # RGB, 8 bits a channel; perhaps reduced
    width: int  # pixels of the whole photo
    height: int


def smallest_size(decoding: str, side: int) -> int | None:
    """To how many pixels height and width of a photo may be reduced for a square of ``side``; None: not at all.

    Args:
        decoding: exact | scaled.
        side: pixels. Twice as many are kept, so that the filter of ``resize`` still blends what it would have blended.

    """
    return max(2 * side, SMALLEST) if decoding == "scaled" else None


def decoding_recipe(smallest: int | None) -> dict[str, Any]:
    """Everything that decides which files are decoded, and to which pixels.

    Args:
        smallest: as for ``decode``.

    """
    reduced = "JPEG by 2, 4 or 8 in its transform, then means of whole blocks of pixels, to no less than"
    return {
        "scale": "full" if smallest is None else f"{reduced} {smallest} pixels a side",
        "decoder": f"pillow {version('pillow')}",
        "formats": list(FORMATS),
        "exif_orientation": "applied",
        "frame": "first",
        "transparency": "over white",
        "sixteen_bit": "scaled to 8",
    }


def decoding_limits(max_pixels: int) -> dict[str, int]:
    """What decides, beside the recipe, which files are decoded: nothing of it changes a pixel."""
    scans = {"scans": MOST_SCANS, "scanned_pixels": MOST_SCANNED}
    return {"max_pixels": max_pixels, "times_as_long_as_wide": MOST_ELONGATED, **scans}


def decode(content: bytes, max_pixels: int, smallest: int | None = None) -> Decoded:
    """The first frame of an image file, upright, as people see it.

    Args:
        content: the bytes of the file.
        max_pixels: refuse larger images before anything is decoded.
        smallest: where height or width is at least twice as many pixels, the image is reduced by a whole number, to no
            fewer; damage is found all the same. None: every pixel is decoded.

    Raises:
        UndecodableError: with the reason zero_byte, not_an_image, unsupported_format, unsupported_variant,
            truncated, corrupt, extreme_shape or decompression_bomb.

    """
    if not content:
        raise UndecodableError("zero_byte", "the file is empty")
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise Image.DecompressionBombError
            _check_work(image, content)
            if image.format == "PNG":
                _check_png(content)
            if smallest is not None:
                image.draft(None, (smallest, smallest))  # does nothing to other formats than JPEG
            _load(image)
            orientation = _orientation(image)
            upright = _upright(_reduced(_rgb(image), smallest), orientation)
        return Decoded(upright, *((height, width) if orientation in TURNED_ON_ITS_SIDE else (width, height)))
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


def _check_work(image: Image.Image, content: bytes) -> None:
    """That few pixels cannot cost much memory, nor a small file much time."""
    short, long = sorted(image.size)
    if long > MOST_ELONGATED * max(short, 1):
        raise UndecodableError(
            "extreme_shape",
            f"{image.width}x{image.height} pixels; allowed: one side at most {MOST_ELONGATED} times the other",
        )
    if image.format not in ("JPEG", "MPO"):
        return
    most = min(MOST_SCANNED // max(short * long, 1), MOST_SCANS)
    # Bytes that look like a scan can stand in other segments, or in a film behind the photo: counted only if many.
    most = max(most, 1)
    if content.count(b"\xff\xda") > most and _scans(content, most + 1) > most:
        raise UndecodableError("decompression_bomb", f"more than {most} scans of {short * long / 1e6:g} megapixels")


def _scans(content: bytes, enough: int) -> int:
    """How many times a JPEG goes over its pixels, counted up to ``enough``."""
    scans, place = 0, 2
    while scans < enough and (found := JPEG_MARKER.search(content, place)) and found[0] != b"\xff\xd9":
        scans += found[0] == b"\xff\xda"
        place = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return scans


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


def _orientation(image: Image.Image) -> int:
    """As the camera was held, by EXIF. Where the metadata cannot be read, the pixels are still good."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
        return int(found) if found in UPRIGHT else 1
    except Exception:  # noqa: BLE001 - damaged metadata raises nearly every type there is
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _reduced(image: Image.Image, smallest: int | None) -> Image.Image:
    """Blocks of whole pixels made one each, their mean: no copy in floating-point numbers, however large the image."""
    if smallest is None:
        return image
    across, down = (max(length // smallest, 1) for length in image.size)
    return image.reduce((across, down)) if across * down > 1 else image


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB; what is transparent shows white, as on a page."""
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.mode in ("I", "F", "LAB", "HSV"):
        raise UndecodableError("unsupported_variant", f"mode {image.mode} has no fixed range; save it as 8 or 16 bits")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


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
