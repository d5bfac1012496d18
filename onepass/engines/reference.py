"""Whether an engine computes what the network means: one image, against another way to compute the same.

OpenVINO 2026.4 was seen to compile a small network wrongly, now and then (positions counted by ``keras.ops.cumsum`` of
ones); nothing in its answers would have told.
"""

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError
from onepass.engines.engine import Forward

# Of the length of the features, as a vector, by whether they are in bfloat16. MobileNet's, rounded to that after each
# layer, are off by up to 0.09 of it, single ones by half of the largest; those of another network by 0.8 and more.
ALLOWED = {False: 1e-3, True: 0.25}


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
    wanted = expected.astype(np.float64)
    difference, length = np.linalg.norm(forward(pixels)[:1] - wanted), np.linalg.norm(wanted)
    if not np.isfinite(length) or difference <= ALLOWED[bfloat16] * length:
        return
    raise UserError(
        f"backbone.runtime: {runtime} computes other features than the network means: of an image they differ by "
        f"{difference / length:.2g} of their length. Nothing of that is kept. Use another backbone.runtime."
    )
