"""What the findings need to know of the photos, in little memory."""

from array import array
from collections.abc import Container, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.shared.photos.tables import Image


class PhotoFacts(NamedTuple):
    """Of all usable files."""

    shorter_sides: NDArray[np.int32]  # (files,), pixels
    grey: int  # files without colour
    files: dict[str, str]  # the first file of each hash that was asked for


def photo_facts(images: Iterable[Image], wanted: Container[str]) -> PhotoFacts:
    """Gathers the facts in one pass; ``wanted``: the hashes whose files are to be named."""
    sides = array("i")
    grey = 0
    files: dict[str, str] = {}
    for image in images:
        sides.append(min(image.width, image.height))
        grey += image.grey
        if image.hash in wanted:
            files.setdefault(image.hash, image.file)
    return PhotoFacts(np.array(sides), grey, files)
