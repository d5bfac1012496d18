"""Photos that are made when they are asked for: ``synthetic://photos/17`` is always the same BMP of 32x32."""

import hashlib
import io
from typing import Any

import numpy as np
from fsspec.spec import AbstractFileSystem
from PIL import Image

LABELS = ("cats", "dogs")
SIDE = 32
BLOCKS = 8  # a side, each of one colour
COLOURS = np.array([(110, 60, 20), (20, 60, 110)], np.uint8)  # of each class, at the least


def photo(number: int) -> bytes:
    """The bytes of a photo: noise around the colour of its class."""
    noise = np.frombuffer(hashlib.shake_128(str(number).encode()).digest(3 * BLOCKS**2), np.uint8)
    pixels = COLOURS[number % len(COLOURS)] + noise.reshape(BLOCKS, BLOCKS, 3) // 2
    content = io.BytesIO()
    Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.NEAREST).save(content, "BMP")
    return content.getvalue()


class SyntheticPhotos(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Gives them out."""

    protocol = "synthetic"

    def open(self, path: str, *_: Any, **__: Any) -> io.BytesIO:
        """A photo, by its number."""
        return io.BytesIO(photo(int(path.rpartition("/")[2])))
