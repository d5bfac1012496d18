"""What is wrong with a photo whatever it shows: too dark, blurred, tiny, or much longer than wide."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIDE = 256  # pixels a side to which photos are resized to be looked at
# Of cats, dogs and materials, taken by anybody with anything: the darkest of 571 has 29, the most blurred 3.1; blurred
# on purpose, by a 125th of their longer side, more than half of them have less than 2.5.
DARK = 25.0  # mean brightness, of 255
BLURRED = 2.5  # deviation of the Laplacian of the brightness, of 255
TINY = 0.5  # of the side that the network is given: the shorter side is enlarged more than twice
LONG = 3.0  # times as long as wide


def flaws_of_size(width: int, height: int, side: int) -> Iterator[tuple[str, float]]:
    """Kinds of flaws and what was measured.

    Args:
        width, height: of the photo, in pixels.
        side: that the network is given.

    """
    if min(width, height) < TINY * side:
        yield "tiny", float(min(width, height))
    if max(width, height) > LONG * min(width, height):
        yield "long", round(max(width, height) / min(width, height), 2)


def flaws_of_pixels(pixels: NDArray[np.uint8], enlarged: bool) -> Iterator[tuple[str, float]]:
    """Kinds of flaws and what was measured.

    Args:
        pixels: RGB, (SIDE, SIDE, 3).
        enlarged: whether the photo has fewer, so that it has no detail to lose.

    """
    grey = pixels.mean(axis=2, dtype=np.float64)
    if (brightness := float(grey.mean())) < DARK:
        yield "dark", round(brightness, 2)
    around = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1]
    detail = float((around - 4 * grey[1:-1, 1:-1]).std())
    if detail < BLURRED and not enlarged:
        yield "blurred", round(detail, 2)
