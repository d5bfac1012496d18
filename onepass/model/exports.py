"""Three files of a model that other programs read: how each is written, and how it is asked."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import LONG_AGO
from onepass.model.keras_model import Model
from onepass.model.onnx_model import metadata
from onepass.model.tf_signatures import of_files, of_pixels, portable
from onepass.onnx import converted
from onepass.tensorflow import as_constants, tf

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # (1, height, width, 3) to (1, classes)


class Format(NamedTuple):
    """One kind of file."""

    write: Callable[[Model, Path], None]
    open: Callable[[Path], list[Ask]]  # one a signature
    needs: list[str]  # what must be installed beside TensorFlow


def write_savedmodel(model: Model, path: Path) -> None:
    """A folder; its signatures take the bytes of files (serving_default) and pixels (pixels)."""
    module = tf.Module()
    module.network = model.network  # the owner of the variables
    signatures = {"serving_default": of_files(model), "pixels": of_pixels(model)}
    tf.saved_model.save(module, str(path), signatures=signatures)


def open_savedmodel(path: Path) -> list[Ask]:
    """Asks both signatures, that of files with the photo as PNG."""
    signatures = tf.saved_model.load(str(path)).signatures
    files, pixels = signatures["serving_default"], signatures["pixels"]
    return [
        lambda photo: np.asarray(files(files=tf.io.encode_png(photo))["probabilities"]),
        lambda photo: np.asarray(pixels(photos=tf.constant(photo))["probabilities"]),
    ]


def write_onnx(model: Model, path: Path) -> None:
    """With the metadata of ``onnx_model``: ``predict`` takes it, too."""
    function = portable(model)
    proto = converted(function, function.input_signature)
    for place, name in enumerate(("batch", "height", "width")):
        proto.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    from onnx import helper  # noqa: PLC0415 - an extra

    helper.set_model_props(proto, metadata(model.classes, model.decoding, model.framing))
    path.write_bytes(proto.SerializeToString(deterministic=True))


def open_onnx(path: Path) -> list[Ask]:
    """Asks ONNX Runtime on the processor."""
    import onnxruntime  # noqa: PLC0415 - an extra

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [lambda photo: np.asarray(session.run(["probabilities"], {"photos": photo})[0])]


def write_tflite(model: Model, path: Path) -> None:
    """The class names are in labels.txt, in a zip archive that follows the model, where LiteRT's tools look."""
    # The converter loses the variables of a Keras 3 model, and then gives NaN: they become constants first.
    constant = as_constants(portable(model).get_concrete_function())
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([constant], tf.Module()).convert())
    labels = "".join(f"{name}\n" for name in model.classes).encode(errors="surrogateescape")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo("labels.txt", LONG_AGO), labels)


def open_tflite(path: Path) -> list[Ask]:
    """Asks LiteRT, which must be told the size of a photo before it sees it."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - an extra

    interpreter = Interpreter(str(path))

    def ask(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        place = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(place, photo.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, photo)
        interpreter.invoke()
        found: Any = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return np.array(found)

    return [ask]


FORMATS = {
    "savedmodel": Format(write_savedmodel, open_savedmodel, []),
    "onnx": Format(write_onnx, open_onnx, ["tf2onnx", "onnx", "onnxruntime"]),
    "tflite": Format(write_tflite, open_tflite, ["ai_edge_litert"]),
}
