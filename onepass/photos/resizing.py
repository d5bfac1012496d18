"""From a photo of any size to a small square, and from colour to grey: to the last bit what Keras gives.

One specification in three places: here with numpy, in the whole model as ``keras.layers.Resizing``, in exports as
plain TensorFlow operations (``onepass.model.tf_signatures``). ``tests/unit/photos/test_resizing.py`` and the tests of
exports hold them together.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RESIZE_RECIPES = {
    "bilinear": "to a square, as keras.layers.Resizing: triangle filter, antialiased, float32, rounded once",
    "bicubic": "to a square, as keras.layers.Resizing: cubic filter (-0.5), antialiased, float32, rounded once",
}
# Of red, green and blue, in thousandths: whole numbers, which float32 adds without error in any order.
LIGHT = np.array([[299], [587], [114]], np.float32)
UPWARDS = 0.25  # thousandths; a tie between two levels is none any more, so that no rounding error decides it
BAND_PIXELS = 1 << 20  # of an image that are floating-point numbers at once: 12 MB


class Framing(NamedTuple):
    """What of a photo is seen in the square that a network is given."""

    side: int  # pixels, of that square
    crop: float | None = None  # the share of the shorter side that is kept, from the centre; None: all, squeezed
    interpolation: str = "bilinear"  # bilinear | bicubic

    @property
    def resized(self) -> int:
        """Pixels, of the square to which the photo, or the square in its middle, is resized; its margins are cut."""
        return self.side if self.crop is None else max(round(self.side / self.crop), self.side)

    @property
    def margin(self) -> int:
        """Pixels that are cut on the left and at the top of it."""
        return (self.resized - self.side) // 2

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """uint8 (side, side, channels), 0..255; an RGB image has 3 channels."""
        if self.crop is None:
            return resize(image, self.side, self.interpolation)
        inside = slice(self.margin, self.margin + self.side)
        return resize(_middle(image), self.resized, self.interpolation)[inside, inside]


def _middle(image: Image.Image) -> Image.Image:
    """The largest square in the middle of an image."""
    length = min(image.size)
    left, top = (image.width - length) // 2, (image.height - length) // 2
    return image.crop((left, top, left + length, top + length))


def resize(image: Image.Image, side: int, interpolation: str = "bilinear") -> NDArray[np.uint8]:
    """The image squeezed to a square by a filter with antialias, in float32, rounded once.

    What ``keras.layers.Resizing(side, side, interpolation, antialias=True)`` gives for uint8, to the last bit (on
    x86-64). Pillow rounds 8-bit images twice: every eighth value is off by a level.

    Args:
        image: of any size.
        side: pixels.
        interpolation: bilinear, by a triangle; bicubic, by the cubic of Keys (1981), which can leave 0..255 and is cut.

    Returns:
        uint8 (side, side, channels), 0..255; an RGB image has 3 channels.

    """
    columns = _filter(image.width, side, interpolation)
    shorter = _squeezed_rows(image, _filter(image.height, side, interpolation))
    planes = np.ascontiguousarray(shorter.T)  # (channels, width, side): a filter is fastest along the first axis
    levels: NDArray[np.float32] = np.stack([columns @ plane for plane in planes], axis=-1)
    return np.rint(levels).clip(0, 255).astype(np.uint8).swapaxes(0, 1)


def _squeezed_rows(image: Image.Image, rows: Any) -> NDArray[np.float32]:
    """The filtered rows of an image: float32 (side, width, channels).

    A few at a time where the image is large, so that what is in memory as floating-point numbers stays small.
    """
    side, height = rows.shape
    band = max(side * BAND_PIXELS // (image.width * height), 1)
    if band >= side:
        return _filtered(image, rows)
    bands = []
    for start in range(0, side, band):
        some = rows[start : start + band]
        first, last = int(some.indices.min()), int(some.indices.max())
        bands.append(_filtered(image.crop((0, first, image.width, last + 1)), some[:, first : last + 1]))
    return np.concatenate(bands)


def _filtered(image: Image.Image, rows: Any) -> NDArray[np.float32]:
    pixels = np.atleast_3d(np.asarray(image)).astype(np.float32)
    height, width, channels = pixels.shape
    squeezed: NDArray[np.float32] = (rows @ pixels.reshape(height, width * channels)).reshape(-1, width, channels)
    return squeezed


def grayscale(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How light each pixel looks (ITU-R BT.601), rounded: (height, width, 3) RGB to (height, width, 1)."""
    return np.rint((pixels.astype(np.float32) @ LIGHT + UPWARDS) / 1000).astype(np.uint8)


def _triangle(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(np.float32(0), 1 - distance)


def _cubic(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """In the order of operations that TensorFlow has (tensorflow/core/kernels/image/sampling_kernels.h)."""
    near = ((1.5 * distance - 2.5) * distance) * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, np.float32(0)))


FILTERS = {"bilinear": (_triangle, np.float32(1)), "bicubic": (_cubic, np.float32(2))}  # and from where on they are 0


@lru_cache(maxsize=256)
def _filter(length: int, side: int, interpolation: str) -> Any:
    """The weights of ``length`` pixels in ``side`` pixels: sparse float32 (side, length), rows of sum 1.

    Each new pixel blends the old ones around its centre, the nearest most. Where the image shrinks, the filter widens,
    so that every old pixel counts.
    """
    from scipy.sparse import csr_array  # noqa: PLC0415 - costs 0.2 s, and prepare does not resize

    # TensorFlow's own roundings (tensorflow/core/kernels/image/scale_and_translate_op.cc): many sums are ties between
    # two levels, where the last bit of a weight decides.
    one = np.float32(1)
    scale = one / (np.float32(side) / np.float32(length))
    shape, radius = FILTERS[interpolation]
    wider = max(scale, one)
    reach = radius * wider
    centre = ((np.arange(side, dtype=np.float32) + 0.5) * scale)[:, None]
    nearby = np.ceil(centre - reach - 0.5).astype(int) + np.arange(int(2 * reach) + 2)
    distance = np.abs(nearby.astype(np.float32) + 0.5 - centre) * (one / wider)
    weights = shape(distance) * ((nearby >= 0) & (nearby < length))
    weights *= one / weights.cumsum(axis=1)[:, -1:]  # cumsum adds one after the other
    row, tap = weights.nonzero()
    return csr_array((weights[row, tap], (row, nearby[row, tap])), shape=(side, length))
