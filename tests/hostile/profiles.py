"""ICC profiles made here: matrix profiles of RGB spaces, and of grey, version 2."""

import struct

import numpy as np
from numpy.typing import NDArray

# Primaries as XYZ under D50, a column each, as the specifications give them adapted.
PRIMARIES = {
    "Display P3": ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841)),
    "Adobe RGB": ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)),
    "sRGB": ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)),
}
D50 = (0.9642, 1.0, 0.8249)
GAMMA = 2.2


def profile(space: str, gamma: float = GAMMA) -> bytes:
    """The bytes of a profile: a name of PRIMARIES, or grey."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"desc": _described(space), b"cprt": b"text" + bytes(4) + b"none\0\0\0\0", b"wtpt": _xyz(D50)}
    if space == "grey":
        tags[b"kTRC"] = curve
    else:
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), PRIMARIES[space], strict=True):
            tags[name] = _xyz(column)
        tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    body = struct.pack(">I", len(tags)) + table + data
    kind = b"GRAY" if space == "grey" else b"RGB "
    header = struct.pack(">I4xI4s4s4s12x4s4x", 128 + len(body), 0x02400000, b"mntr", kind, b"XYZ ", b"acsp")
    illuminant = struct.pack(">3i", *(round(value * 65536) for value in D50))
    return header.ljust(68, b"\0") + illuminant + bytes(48) + body


def in_srgb(pixels: NDArray[np.uint8], space: str, gamma: float = GAMMA) -> NDArray[np.float64]:
    """What these pixels of a space look like in sRGB, by its definition: (..., 3), 0..255, colours outside it cut."""
    light = (pixels / 255) ** gamma @ np.array(PRIMARIES[space]) @ np.linalg.inv(np.array(PRIMARIES["sRGB"]))
    light = light.clip(0, 1)
    shown: NDArray[np.float64] = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    return shown


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _described(text: str) -> bytes:
    content = text.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(content)) + content + bytes(78)
