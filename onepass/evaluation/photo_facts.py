"""What the findings need to know of the photos, gathered while someone else goes through images.csv."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator

from onepass.photos import Image


class PhotoFacts:
    """Of all usable files; how many they are changes nothing."""

    def __init__(self, named: Container[str]) -> None:
        """``named``: the hashes of which a file name is wanted."""
        self.grey = 0  # files without colour
        self.files: dict[str, str] = {}  # the first file of each named hash
        self._named = named
        self.shorter_sides: Counter[int] = Counter()  # pixels, of each file

    def gathered_from(self, images: Iterable[Image]) -> Iterator[Image]:
        """The same rows of images.csv."""
        for image in images:
            self.shorter_sides[min(image.width, image.height)] += 1
            self.grey += image.grey
            if image.hash in self._named:
                self.files.setdefault(image.hash, image.file)
            yield image
