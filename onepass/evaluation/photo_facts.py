"""What the findings need to know of the photos, gathered while someone else goes through images.csv."""

from array import array
from collections.abc import Container, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from onepass.photos import Image


class PhotoFacts:
    """Of all usable files, 4 bytes each."""

    def __init__(self, named: Container[str]) -> None:
        """``named``: the hashes of which a file name is wanted."""
        self.grey = 0  # files without colour
        self.files: dict[str, str] = {}  # the first file of each named hash
        self._named = named
        self._sides = array("i")

    def gathered_from(self, images: Iterable[Image]) -> Iterator[Image]:
        """The same rows of images.csv."""
        for image in images:
            self._sides.append(min(image.width, image.height))
            self.grey += image.grey
            if image.hash in self._named:
                self.files.setdefault(image.hash, image.file)
            yield image

    @property
    def shorter_sides(self) -> NDArray[np.int32]:
        """(files,), pixels."""
        return np.array(self._sides)
