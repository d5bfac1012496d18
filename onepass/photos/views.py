"""Augmented views of a photo: each is a row of the features like any other, under a key of its own.

View 0 is the photo itself and has its hash as key. What view 3 of a photo looks like is a function of the
photo's hash and the number 3 alone, so that more views later leave the first ones as they are.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageEnhance

from onepass.core import Hashes, UserError, find, in_hex, packed

HEX_DIGITS = 64  # of a hash
RECIPE = "mirrored or not, a crop of 60 to 100 % of the area, brightness, contrast and colour of 80 to 120 %"
AREA = (0.6, 1.0)  # of the crop, to that of the photo
RATIO = (3 / 4, 4 / 3)  # of the crop's sides, to that of the photo's sides
STRENGTH = (0.8, 1.2)  # of brightness, contrast and colour


class View(NamedTuple):
    """One look at a photo."""

    hash: str  # sha256 of the photo's file
    number: int  # 0: the photo itself

    @property
    def key(self) -> str:
        """The name of its row: 64 hex digits."""
        if self.number == 0:
            return self.hash
        return hashlib.sha256(f"{self.hash} {self.number} {RECIPE}".encode()).hexdigest()


def views_of(hash_: str, count: int) -> list[View]:
    """The photo itself, and ``count - 1`` augmented views of it."""
    return [View(hash_, number) for number in range(count)]


class WantedViews:
    """Which views of which images have features: the content of wanted_views.txt, 32 bytes an image."""

    def __init__(self, hashes: Iterable[str], counts: Iterable[int]) -> None:
        """Of all images.

        Args:
            hashes: all different; those of a file are sorted, which takes the least memory.
            counts: of the views of each image, the photo itself included; none where that is 1 for all.

        """
        self._hashes = packed(hashes)
        self._counts = np.fromiter(counts, np.uint16)
        if (self._hashes[1:] < self._hashes[:-1]).any():
            order = np.argsort(self._hashes)
            self._hashes = self._hashes[order]
            self._counts = self._counts[order] if len(self._counts) else self._counts
        if not (self._counts > 1).any():
            self._counts = np.empty(0, np.uint16)  # as mostly

    @classmethod
    def read(cls, path: Path) -> "WantedViews":
        """From the file that prepare wrote. UserError where it is missing."""
        if not path.is_file():
            raise UserError(f"{path} is missing. `dvc repro` writes it; `dvc pull` fetches it from the team's remote.")
        counts = array("H")

        def hashes() -> Iterator[str]:
            with path.open(encoding="ascii") as lines:
                for place, line in enumerate(lines):
                    count = int(line[HEX_DIGITS + 1 :] or 1)
                    if count > 1 and not counts:
                        counts.extend(repeat(1, place))
                    if counts or count > 1:  # mostly it is 1 for all, and need not be kept
                        counts.append(count)
                    yield line[:HEX_DIGITS]

        return cls(hashes(), counts)

    @staticmethod
    def line(hash_: str, count: int) -> bytes:
        """A line of the file: a hash, with the number of its views where there are several."""
        return (f"{hash_}\n" if count == 1 else f"{hash_} {count}\n").encode()

    def keys(self) -> Hashes:
        """The key of every view, sorted."""
        if not len(self._counts):
            return self._hashes
        several = self._counts > 1
        more = packed(
            view.key
            for hash_, count in zip(self._hashes[several], self._counts[several], strict=True)
            for view in views_of(in_hex(hash_), int(count))[1:]
        )
        keys = np.concatenate([self._hashes, more])
        keys.sort()
        return keys

    def of(self, hash_: str) -> list[View]:
        """The views of an image; the photo itself where nothing is wanted of it."""
        place = int(find(self._hashes, packed([hash_]))[0]) if len(self._counts) else -1
        return views_of(hash_, 1 if place < 0 else int(self._counts[place]))


def augmented(image: Image.Image, view: View) -> Image.Image:
    """The photo as this view shows it: RGB, of any size."""
    if view.number == 0:
        return image
    dice = np.random.default_rng(np.frombuffer(bytes.fromhex(view.key), np.uint32))
    area, ratio = dice.uniform(*AREA), np.exp(dice.uniform(*np.log(RATIO)))
    width, height = (
        max(round(min(length * part, length)), 1)
        for length, part in ((image.width, np.sqrt(area * ratio)), (image.height, np.sqrt(area / ratio)))
    )
    left, top = dice.integers(image.width - width + 1), dice.integers(image.height - height + 1)
    image = image.crop((int(left), int(top), int(left) + width, int(top) + height))
    if dice.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhancer(image).enhance(dice.uniform(*STRENGTH))
    return image
