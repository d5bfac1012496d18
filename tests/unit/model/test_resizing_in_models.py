"""Whole models resize photos to the last bit as extraction does, whatever file they lie in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from onepass.model.resizing_graph import resizing_nodes
from onepass.onnx import OPSET
from onepass.photos import Framing

SIZES = ((1, 1), (50, 70), (301, 97), (40, 400))
FRAMINGS = [
    Framing(side, crop, filter_) for side in (8, 60) for crop in (None, 0.8) for filter_ in ("bilinear", "bicubic")
]
Resize = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def by_keras(framing: Framing) -> Resize:
    from onepass.model.keras_model import framed
    from onepass.tensorflow import keras

    photo = keras.Input((None, None, 3), dtype="uint8")
    network = keras.Model(photo, framed(photo, framing))
    return lambda photos: np.asarray(network(photos))


def by_tensorflow(framing: Framing) -> Resize:
    """As exports do; the margins of a crop are cut by the network behind it."""
    from onepass.model.tf_signatures import middle, resized

    whole, inside = (
        framing._replace(side=framing.resized, crop=None),
        slice(framing.margin, framing.margin + framing.side),
    )

    def resize(photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
        seen = photos if framing.crop is None else middle(photos)
        return np.asarray(resized(seen, whole))[:, inside, inside]

    return resize


def by_onnx(framing: Framing) -> Resize:
    import onnxruntime
    from onnx import helper

    nodes, constants = resizing_nodes(framing)
    ends = [helper.make_tensor_value_info(name, 2, ["n", None, None, 3]) for name in ("photos", "pixels")]
    graph = helper.make_graph(nodes, "resize", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def resize(photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
        (pixels,) = session.run(None, {"photos": photos})
        return np.asarray(pixels)

    return resize


@pytest.mark.parametrize("by", [by_keras, by_tensorflow, by_onnx])
@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_a_model_sees_the_pixels_that_extraction_has_seen(by: Callable[[Framing], Resize], framing: Framing) -> None:
    random: Any = np.random.default_rng(0)
    resize = by(framing)
    for height, width in SIZES:
        # Black and white: what a cubic filter gives between them lies outside of 0..255.
        photo = 255 * random.integers(2, size=(height, width, 3), dtype=np.uint8)
        expected = framing.pixels(Image.fromarray(photo))
        np.testing.assert_array_equal(resize(photo[None])[0], expected)
