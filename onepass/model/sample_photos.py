"""Images by which two ways to run a model are compared."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image


def sample_photos(sizes: Iterable[tuple[int, int]]) -> Iterator[Image.Image]:
    """Coarse noise, as an RGB image of each (height, width): it has edges and planes, which noise alone has not."""
    random = np.random.default_rng(0)
    for height, width in sizes:
        coarse = random.integers(0, 256, (9, 9, 3), np.uint8)
        yield Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
