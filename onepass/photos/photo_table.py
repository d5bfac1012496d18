"""Photos, what people say of them and what is in them: one table that stays small however many there are.

Columns instead of objects: 57 bytes a photo and those of its name, where a named tuple with its texts takes 700.
A table of pyarrow has the same columns in as many bytes, but takes 31 MB of memory and 170 MB of disk before its first
row.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import groupby
from typing import NamedTuple, TypeAlias

import numpy as np

from onepass.core import HASH_BYTES, in_hex
from onepass.photos.tables import Image

# What decoding finds out about an image.
CONTENT = np.dtype([("hash", f"S{HASH_BYTES}"), ("width", "u4"), ("height", "u4"), ("grey", "u1")])


class Photo(NamedTuple):
    """A file and what the user says of it; an empty string where nothing is said."""

    file: str  # relative to ``base_folder(root)``, with forward slashes; or absolute, in a CSV
    label: str
    split: str  # train | validation | test | ""
    group: str
    refused: str = ""  # why the place of the file already rules it out


Said: TypeAlias = tuple[str, str, str, str]  # a Photo without its file


@cache
def said(label: str, split: str, group: str, refused: str = "") -> Said:
    """One and the same object for all photos of which the same is said."""
    return label, split, group, refused


class PhotoTable:
    """Photos by number, in the order given. Those that turn out to be images get their content with ``set_content``."""

    def __init__(self, files: Iterable[str], said_of_each: Sequence[Said], empty: Sequence[str] = ()) -> None:
        """What is where.

        Args:
            files: sorted by name.
            said_of_each: in the same order.
            empty: folders that look like those of a class and have no file.

        """
        self.empty_folders = empty
        self._names = bytearray()  # one after the other, in UTF-8
        self._ends = array("Q", [0])
        for file in files:
            self._names += file.encode(errors="surrogateescape")
            self._ends.append(len(self._names))
        self._said = said_of_each
        self._content = np.zeros(len(self), CONTENT)
        self._usable = np.zeros(len(self), np.bool_)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> Photo:
        name = self._names[self._ends[number] : self._ends[number + 1]]
        return Photo(name.decode(errors="surrogateescape"), *self._said[number])

    def __iter__(self) -> Iterator[Photo]:
        return map(self.__getitem__, range(len(self)))

    def set_content(self, number: int, image: Image) -> None:
        """What a photo turned out to be; until then, it counts as unusable."""
        self._content[number] = (bytes.fromhex(image.hash), *image[2:5])
        self._usable[number] = True

    def drop(self, hashes: AbstractSet[str]) -> None:
        """Makes the photos of these images unusable."""
        for number in self._numbers() if hashes else ():
            self._usable[number] = in_hex(self._content["hash"][number]) not in hashes

    @property
    def file_count(self) -> int:
        """Of usable files."""
        return int(self._usable.sum())

    @property
    def image_count(self) -> int:
        """Of usable images: files with the same bytes are one."""
        hashes = self._content["hash"][self._usable]
        hashes.sort()
        return len(hashes) and 1 + int(np.count_nonzero(hashes[1:] != hashes[:-1]))

    @property
    def given_labels(self) -> set[str]:
        """Of all files that lie where photos are expected, usable or not."""
        return {label for label, *_, refused in set(self._said) if not refused}

    @property
    def labels(self) -> set[str]:
        """Of usable images."""
        return {self._said[number][0] for number in self._numbers()}

    def images(self) -> Iterator[tuple[str, list[Photo]]]:
        """Each usable image, sorted by hash: its content hash and its photos, all of the same bytes."""
        usable = np.flatnonzero(self._usable).astype(np.uint32)
        order = usable[np.argsort(self._content["hash"][usable], kind="stable")]
        for hash_, numbers in groupby(map(int, order), key=lambda number: self._content["hash"][number]):
            yield in_hex(hash_), [self[number] for number in numbers]

    def rows(self) -> Iterator[Image]:
        """A row of images.csv for each usable file, in the order of the photos."""
        for number in self._numbers():
            hash_, width, height, grey = self._content[number].tolist()
            photo = self[number]
            yield Image(in_hex(hash_), photo.file, width, height, grey, photo.split, photo.group)

    def _numbers(self) -> Iterator[int]:
        """Of usable photos, one by one: a list of them would take more than the table."""
        return map(int, np.flatnonzero(self._usable))
