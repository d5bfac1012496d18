"""What an earlier run found out about the bytes of files, so that they are not decoded again."""

from collections.abc import Iterable

import numpy as np

from stages.shared.hashes import HashIndex
from stages.shared.photos.packed_images import PackedImages, size_of
from stages.shared.photos.tables import Image, Quarantined


class Known:
    """Rows by content hash: 52 bytes an image, where a dict takes 500. Refusals are rare, and kept whole."""

    def __init__(self, images: Iterable[Image] = (), refused: Iterable[Quarantined] = ()) -> None:
        packed = PackedImages(images)
        self._numbers = HashIndex(packed.hashes, np.arange(len(packed)))
        self._sizes = packed.sizes  # and not its hashes, which the index has
        self._refused = {row.hash: row for row in refused}

    def row(self, hash_: str, file: str) -> Image | Quarantined | None:
        """The row of a file with these bytes; None where they are new."""
        if hash_ in self._refused:
            return self._refused[hash_]._replace(file=file)
        number = self._numbers.get(hash_)
        return None if number is None else Image(hash_, file, *size_of(self._sizes, number))
