"""Many rows of images.csv in little memory."""

from array import array
from collections.abc import Iterable

import numpy as np

from stages.shared.hashes import SIZE, Hashes
from stages.shared.photos.tables import Image


class PackedImages:
    """Images without their file names, by number, in 44 bytes each; a list of Image takes 350."""

    def __init__(self, images: Iterable[Image] = ()) -> None:
        self._hashes = bytearray()
        self.sizes = array("I")  # width, height and grey of one after the other
        for image in images:
            self.append(image)

    def __len__(self) -> int:
        return len(self._hashes) // SIZE

    def append(self, image: Image) -> None:
        """Adds an image, whose hash has 64 hex digits. BufferError: someone uses ``hashes`` already."""
        self._hashes += bytes.fromhex(image.hash)
        self.sizes.extend((image.width, image.height, image.grey))

    @property
    def hashes(self) -> Hashes:
        """The hash of each image: a view, not a copy."""
        return np.frombuffer(self._hashes, f"S{SIZE}")

    def row(self, number: int, file: str) -> Image:
        """The row of an image, under this file name."""
        hash_ = self._hashes[SIZE * number : SIZE * (number + 1)].hex()
        return Image(hash_, file, *size_of(self.sizes, number))


def size_of(sizes: "array[int]", number: int) -> tuple[int, int, int]:
    """Width, height and grey of an image."""
    width, height, grey = sizes[3 * number : 3 * (number + 1)]
    return width, height, grey
