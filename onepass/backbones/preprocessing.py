"""From 0..255 pixels to the numbers that a network was trained on."""

from typing import Any, NamedTuple

import numpy as np


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


def preprocess(pixels: Any, mode: str) -> Any:
    """Pixels as the network expects them.

    Args:
        pixels: float32 RGB (..., 3), 0..255: a numpy array or a TensorFlow tensor.
        mode: a key of ``MODES``.

    Returns:
        The same shape and type.

    """
    mean, scale, bgr = MODES[mode]
    ordered = pixels[..., ::-1] if bgr else pixels
    return (ordered - np.array(mean, np.float32)) / np.array(scale, np.float32)
