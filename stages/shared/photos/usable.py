"""The photos that can be used: the files that images.csv lists, and the images that they are."""

from array import array
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import groupby

import numpy as np

from stages.shared.hashes import in_hex
from stages.shared.photos.packed_images import PackedImages
from stages.shared.photos.photos import Photo, Photos
from stages.shared.photos.tables import Image


class Usable:
    """Iterating gives each image, sorted by hash: its content hash and its photos, all of the same bytes.

    They are made anew each time, from 52 bytes a photo beside ``photos``; a dict of lists would keep 700.
    """

    def __init__(self, photos: Photos, numbers: "array[int]", images: PackedImages) -> None:
        """``numbers``: which of the photos, in order of their files, each of the ``images`` is."""
        self._photos = photos
        self._numbers = numbers
        self._images = images
        self._hashes = images.hashes
        self._order = np.argsort(self._hashes, kind="stable").astype(np.uint32)  # places in the above

    def __iter__(self) -> Iterator[tuple[str, list[Photo]]]:
        for hash_, places in groupby(self._order, key=self._hashes.item):
            yield in_hex(hash_), [self._photos[self._numbers[place]] for place in places]

    @property
    def file_count(self) -> int:
        return len(self._order)

    @property
    def image_count(self) -> int:
        """Of different hashes."""
        hashes = self._hashes[self._order]
        return len(hashes) and 1 + int(np.count_nonzero(hashes[1:] != hashes[:-1]))

    def rows(self) -> Iterator[Image]:
        """A row a file, sorted by file."""
        for place in np.sort(self._order):
            yield self._images.row(int(place), self._photos[self._numbers[place]].file)

    def drop(self, hashes: AbstractSet[str]) -> None:
        """Forgets these images."""
        kept = (in_hex(self._hashes[place]) not in hashes for place in self._order)
        self._order = self._order[np.fromiter(kept, bool, len(self._order))]
