"""From 0..255 pixels to the numbers that a network was trained on."""

from typing import Any, NamedTuple

import numpy as np

from onepass.params import PixelScaling


class Mode(NamedTuple):
    """``(pixel - mean) / scale`` for each channel, after RGB became BGR where asked."""

    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    bgr: bool


# The three modes of keras.applications.imagenet_utils, the 1/255 of the article, and pixels as they are.
MODES: dict[str, Mode] = {
    "none": Mode((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), bgr=False),
    "rescale": Mode((0.0, 0.0, 0.0), (255.0, 255.0, 255.0), bgr=False),
    "tf": Mode((127.5, 127.5, 127.5), (127.5, 127.5, 127.5), bgr=False),
    "torch": Mode((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), bgr=False),
    "caffe": Mode((103.939, 116.779, 123.68), (1.0, 1.0, 1.0), bgr=True),
}


def mode_of(given: str | PixelScaling) -> Mode:
    """What ``backbone.preprocess`` means, where it is not native."""
    if isinstance(given, str):
        return MODES[given]
    return Mode(_in_pixels(given.mean, given), _in_pixels(given.std, given), bgr=given.channels == "bgr")


def _in_pixels(values: tuple[float, ...], given: PixelScaling) -> tuple[float, float, float]:
    """What stands behind ``pixel * scale``, before it."""
    red, green, blue = (value / given.scale for value in values)
    return red, green, blue


def described(mode: Mode) -> Any:
    """As it stands in fingerprints: its name where it has one."""
    return next((name for name, known in MODES.items() if known == mode), mode._asdict())


def preprocess(pixels: Any, mode: Mode) -> Any:
    """Pixels as the network expects them.

    Args:
        pixels: float32 RGB (..., 3), 0..255: a numpy array or a TensorFlow tensor.

    Returns:
        The same shape and type.

    """
    mean, scale, bgr = mode
    ordered = pixels[..., ::-1] if bgr else pixels
    return (ordered - np.array(mean, np.float32)) / np.array(scale, np.float32)
