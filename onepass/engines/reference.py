"""Whether an engine computes what the network means: one image, against another way to compute the same.

OpenVINO 2026.4 was seen to compile a small network wrongly, now and then (positions counted by ``keras.ops.cumsum`` of
ones); nothing in its answers would have told.
"""

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError
from onepass.engines.engine import Forward

ALLOWED = {False: 1e-3, True: 0.1}  # of the largest feature; in bfloat16 also rounded in other places


def image_to_check(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Coarse noise, uint8 (1, *shape): edges and planes, as photos have them."""
    height, width, channels = shape
    coarse = np.random.default_rng(0).integers(256, size=(8, 8, channels), dtype=np.uint8)
    rows, columns = (np.arange(length) * 8 // length for length in (height, width))
    return coarse[rows][:, columns][None]


def check_forward(
    forward: Forward, batch: int, image: NDArray[np.uint8], expected: NDArray[np.float32], runtime: str, bfloat16: bool
) -> None:
    """UserError: a compiled network gives something else for an image than is expected.

    Args:
        batch: images that it takes a call.
        image: (1, height, width, channels).
        expected: (1, *shape of the features). Where that is no finite number, nothing can be compared.

    """
    pixels = np.zeros((batch, *image.shape[1:]), np.uint8)
    pixels[:1] = image
    difference, largest = np.abs(forward(pixels)[:1] - expected).max(), np.abs(expected).max()
    if not np.isfinite(largest) or difference <= ALLOWED[bfloat16] * largest:
        return
    raise UserError(
        f"backbone.runtime: {runtime} computes other features than the network means: of an image they differ by "
        f"{difference / largest:.2g} of the largest. Nothing of that is kept. Use another backbone.runtime."
    )
