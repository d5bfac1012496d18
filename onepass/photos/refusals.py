"""Why a file is no usable image."""

import io
from collections.abc import Collection

from PIL import ExifTags, Image, TiffImagePlugin

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class UndecodableError(Exception):
    """Bytes that are not a usable image. ``reason`` is one word for tables, ``detail`` one line for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def unidentified(content: bytes, allowed: Collection[str], heic: bool) -> UndecodableError:
    """Why Pillow did not recognise the bytes, from their beginning, and from the tags of a TIFF.

    Args:
        allowed: the formats that are.
        heic: whether what reads HEIC is installed.

    """
    if not any(content):
        return UndecodableError("corrupt", "every byte is NUL: the disk or a copy lost the content")
    if len(content) < 16:  # some of Pillow's own checks expect as many
        return UndecodableError("not_an_image", f"only {len(content)} bytes: {content!r}")
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS and not heic:
        return UndecodableError("unsupported_format", "HEIC: `make install EXTRA=heic` makes it readable")
    Image.init()
    begun = [name for name, (_, accept) in Image.OPEN.items() if accept and accept(content[:16]) not in (False, None)]
    for name in begun:
        if name == "TIFF" and (kind := _kind_of_tiff(content)):
            return UndecodableError("unsupported_variant", f"TIFF with {kind}: save it as RGB of 8 bits")
        if name in allowed:
            return UndecodableError("corrupt", f"begins like {name}, but its header cannot be read")
    return _of_no_allowed_format(content, begun, allowed)


def _of_no_allowed_format(content: bytes, begun: list[str], allowed: Collection[str]) -> UndecodableError:
    if begun or content[4:8] == b"ftyp":
        what = begun[0] if begun else "a video"
        return UndecodableError("unsupported_format", f"{what}; allowed: {', '.join(allowed)}")
    return UndecodableError("not_an_image", f"begins with {content[:16]!r}")


def _kind_of_tiff(content: bytes) -> str:
    """Of a TIFF whose tags are readable, what Pillow has no mode for; empty where they are not."""
    try:
        header = content[:8]
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        file = io.BytesIO(content)
        file.seek(tags.next)
        tags.load(file)
        needed = (ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength, ExifTags.Base.StripOffsets)
        if not all(tags.get(tag) for tag in needed):
            return ""
        bits = tags.get(ExifTags.Base.BitsPerSample, (1,))
        formats, space = tags.get(339, (1,)), tags.get(ExifTags.Base.PhotometricInterpretation, 1)
        return f"samples of {bits} bits, sample format {formats}, photometric interpretation {space}"
    except Exception:  # noqa: BLE001 - damaged tags raise nearly every type there is
        return ""


def broken(error: Exception) -> UndecodableError:
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
