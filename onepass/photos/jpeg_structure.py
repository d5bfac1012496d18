"""What a JPEG says of itself before a pixel of it is decoded: of which kind it is, and how much work it would be."""

import re
from collections.abc import Iterator

from onepass.photos.refusals import UndecodableError

# A file of kilobytes can keep a decoder busy for minutes, by scans that each go over all pixels. Programs write up to a
# dozen.
MOST_SCANNED = 1_500_000_000  # pixels, all scans together
MOST_SCANS = 100
SEGMENT = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # one with a length, or the end
END, SCAN = 0xD9, 0xDA
FRAMES = {  # kinds of frames that are no baseline, extended or progressive ones
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "lossless",
    0xCB: "lossless, arithmetic",
    0xCD: "hierarchical",
    0xCE: "hierarchical",
    0xCF: "lossless",
}


def check_jpeg(content: bytes, pixels: int) -> None:
    """Raises UndecodableError: a sound JPEG that nobody decodes, or a bomb.

    Args:
        content: of the file.
        pixels: that it has.

    """
    most = max(min(MOST_SCANNED // max(pixels, 1), MOST_SCANS), 1)
    scans = 0
    for kind, segment in _segments(content):
        if kind in FRAMES or (0xC0 <= kind <= 0xC2 and segment[:1] == b"\x0c"):
            what = FRAMES.get(kind, "12-bit")
            raise UndecodableError("unsupported_variant", f"{what} JPEG: save it as a plain one, or as PNG")
        scans += kind == SCAN
        if scans > most:
            raise UndecodableError("decompression_bomb", f"more than {most} scans of {pixels / 1e6:g} megapixels")


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind of each and how it begins. What looks like one inside another, or in a film behind the end, is none."""
    place = 2
    while (found := SEGMENT.search(content, place)) and found[0][1] != END:
        yield found[0][1], content[found.end() + 2 : found.end() + 3]
        place = found.end() + max(int.from_bytes(content[found.end() : found.end() + 2]), 2)
