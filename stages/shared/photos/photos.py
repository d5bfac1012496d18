"""Photos and what the user says of them, in little memory however many there are."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias


class Photo(NamedTuple):
    """A file and what the user says of it; an empty string where nothing is said."""

    file: str  # relative to ``base(root)``, with forward slashes; or absolute, in a CSV
    label: str
    split: str  # train | validation | test | ""
    group: str
    refused: str = ""  # why the place of the file already rules it out


Said: TypeAlias = tuple[str, str, str, str]  # a Photo without its file


@cache
def said(label: str, split: str, group: str, refused: str = "") -> Said:
    """One and the same object for all photos of which the same is said."""
    return label, split, group, refused


class Texts:
    """Texts by number, one after the other in UTF-8; each as an object of its own takes 70 bytes more."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._content = bytearray()
        self._bounds = array("Q", [0])
        for text in texts:
            self._content += text.encode(errors="surrogateescape")
            self._bounds.append(len(self._content))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, number: int) -> str:
        content = self._content[self._bounds[number] : self._bounds[number + 1]]
        return content.decode(errors="surrogateescape")


class Photos:
    """Photos by number, in 20 bytes each and those of the file name; a list of Photo takes 300."""

    def __init__(self, files: Iterable[str], said_of_each: Sequence[Said]) -> None:
        self._files = Texts(files)
        self._said = said_of_each

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> Photo:
        return Photo(self._files[number], *self._said[number])

    def __iter__(self) -> Iterator[Photo]:
        return map(self.__getitem__, range(len(self)))
