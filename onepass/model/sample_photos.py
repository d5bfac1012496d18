"""Images by which two ways to run a model are compared, and by how much their answers may differ."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

LARGEST = 2e-3  # of a model in float32
# Of one in bfloat16 the other way computes in float32: a photo between two classes can go far, and most stay.
MEAN = 5e-2


class Difference(NamedTuple):
    """How far the answers of two ways to run a model, probabilities and distances, are apart."""

    images: int
    largest: float  # NaN where one of them has no answer
    mean: float  # over the images, of the largest of each

    @classmethod
    def of(cls, images: Sequence[float]) -> "Difference":
        """From the largest one in each image."""
        return cls(len(images), float(np.max(images)), float(np.mean(images)))

    def problem(self, precision: str) -> str:
        """What is wrong, to go on after "it would"; empty where they are one model.

        Args:
            precision: of its backbone.

        """
        found, allowed, how = (
            (self.largest, LARGEST, "") if precision == "float32" else (self.mean, MEAN, " on average")
        )
        if found <= allowed:
            return ""
        return f"differ by {found:.2g}{how} in a probability or distance, in {self.images} images; allowed: {allowed:g}"


def sample_photos(sizes: Iterable[tuple[int, int]]) -> Iterator[Image.Image]:
    """Coarse noise, as an RGB image of each (height, width): it has edges and planes, which noise alone has not."""
    random = np.random.default_rng(0)
    for height, width in sizes:
        coarse = random.integers(0, 256, (9, 9, 3), np.uint8)
        yield Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
