"""From the bytes of an image file to RGB pixels, or the reason why not.

The decoder is Pillow with an allow-list of formats. A photo may be asked for no larger than a network needs it, which
is decoded several times faster. Everything that changes pixels is in ``decoding_recipe``.
"""

import ctypes
import io
import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import PIL
from PIL import ExifTags, Image, UnidentifiedImageError

from onepass.photos.color_profiles import RULE, to_srgb
from onepass.photos.flattening import flatten, look
from onepass.photos.jpeg_structure import MOST_SCANNED, MOST_SCANS, check_jpeg
from onepass.photos.refusals import UndecodableError, broken, unidentified

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")
JPEG = ("JPEG", "MPO")  # MPO: with more photos behind the first
UNLIMITED = 1 << 62  # pixels, for bytes that have passed the limit before
# Pixels that height and width keep at least, whatever is asked for: prepare, which looks into every photo, knows no
# network, and decodes just what all networks of up to half this side are given.
SMALLEST = 512
# A strip of pixels is no photo, and its filters would take as much memory as its pixels.
MOST_ELONGATED = 200  # times as long as wide
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


@cache
def allowed_formats() -> tuple[str, ...]:
    """Those of ``FORMATS``, and HEIF where the extra heic is installed."""
    if not HEIC:
        return FORMATS
    from pillow_heif import register_heif_opener  # noqa: PLC0415 - an extra

    register_heif_opener()
    return (*FORMATS, "HEIF")


def _version_of_heic() -> str:
    try:
        return f"pillow-heif {version('pillow-heif')}"
    except PackageNotFoundError:
        return ""


def _silence_libtiff() -> None:
    """It writes a line for each flaw to the standard error, without the name of a file; Pillow says what matters."""
    for library in (Path(PIL.__file__).parent.parent / "pillow.libs").glob("libtiff-*"):
        loaded = ctypes.CDLL(str(library))
        loaded.TIFFSetErrorHandler(None)
        loaded.TIFFSetWarningHandler(None)


_silence_libtiff()
HEIC = _version_of_heic()


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
        "exif_orientation": "applied",
        "frame": "first",
        "transparency": "over white",
        "color_profile": RULE,
        "sixteen_bit": "scaled to 8",
    }


def decoding_limits(max_pixels: int) -> dict[str, Any]:
    """What decides, beside the recipe, which files are decoded: nothing of it changes a pixel of the others."""
    formats = {name: HEIC if name == "HEIF" else "pillow" for name in allowed_formats()}
    scans = {"scans": MOST_SCANS, "scanned_pixels": MOST_SCANNED}
    return {"max_pixels": max_pixels, "times_as_long_as_wide": MOST_ELONGATED, "formats": formats, **scans}


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
        with Image.open(io.BytesIO(content), formats=allowed_formats()) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise Image.DecompressionBombError
            _check_work(image, content)
            if image.format == "PNG":
                _check_png(content)
            if smallest is not None and image.format in JPEG:  # of others it may be a thumbnail that comes
                image.draft(None, (smallest, smallest))
            opened, profile = look(image, content), image.info.get("icc_profile")
            _load(image)
            orientation = _orientation(image)
            # Colours last, of the few pixels that are kept: a mean of colours is that of sRGB nearly everywhere but
            # where they are beyond it, and it is the mean that a JPEG's decoder, which reduces, makes as well.
            upright = _upright(to_srgb(_reduced(flatten(image, opened), smallest), profile), orientation)
        return Decoded(upright, *((height, width) if orientation in TURNED_ON_ITS_SIDE else (width, height)))
    except UndecodableError:
        raise
    except Image.DecompressionBombError as error:
        megapixels = max_pixels / 1e6
        raise UndecodableError("decompression_bomb", f"above the limit of {megapixels:g} megapixels") from error
    except UnidentifiedImageError as error:
        if content.startswith(b"\xff\xd8"):
            check_jpeg(content, 1)
        raise unidentified(content, allowed_formats(), bool(HEIC)) from error
    except NotImplementedError as error:
        raise UndecodableError("unsupported_variant", str(error)) from error
    except Exception as error:
        raise broken(error) from error


def _check_work(image: Image.Image, content: bytes) -> None:
    """That few pixels cannot cost much memory, nor a small file much time."""
    short, long = sorted(image.size)
    if long > MOST_ELONGATED * max(short, 1):
        raise UndecodableError(
            "extreme_shape",
            f"{image.width}x{image.height} pixels; allowed: one side at most {MOST_ELONGATED} times the other",
        )
    if image.format in JPEG:
        check_jpeg(content, short * long)


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
