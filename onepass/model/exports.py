"""Files of a model that other programs read: how each is written, and how it is asked."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import LONG_AGO
from onepass.model.keras_model import Model
from onepass.model.onnx_model import metadata
from onepass.model.openvino_files import COLUMNS, open_openvino, save_openvino
from onepass.model.tf_signatures import PHOTOS, of_files, of_pixels, portable
from onepass.onnx import converted
from onepass.tensorflow import as_constants, tf

# uint8 (1, height, width, 3) to the columns of ``Model.answers``
Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
SIGNATURE = "serving_default"  # of a .tflite file


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
        lambda photo: _columns(files(files=tf.io.encode_png(photo))),
        lambda photo: _columns(pixels(photos=tf.constant(photo))),
    ]


def _columns(answers: dict[str, Any]) -> NDArray[np.float32]:
    return np.hstack([np.asarray(answers[name]) for name in COLUMNS if name in answers])


def write_onnx(model: Model, path: Path) -> None:
    """With the metadata of ``onnx_model``: ``predict`` takes it, too."""
    function = portable(model)
    proto = converted(function, function.input_signature)
    for place, name in enumerate(("batch", "height", "width")):
        proto.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    for output in proto.graph.output:
        output.type.tensor_type.shape.dim[0].dim_param = "batch"
    from onnx import helper  # noqa: PLC0415 - an extra

    helper.set_model_props(proto, metadata(model.classes, model.decoding, model.framing, model.limits))
    path.write_bytes(proto.SerializeToString(deterministic=True))


def open_onnx(path: Path) -> list[Ask]:
    """Asks ONNX Runtime on the processor."""
    import onnxruntime  # noqa: PLC0415 - an extra

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs() if output.name in COLUMNS]
    return [lambda photo: _columns(dict(zip(names, session.run(names, {"photos": photo}), strict=True)))]


def write_tflite(model: Model, path: Path) -> None:
    """The class names are in labels.txt, in a zip archive that follows the model, where LiteRT's tools look."""
    # The converter loses the variables of a Keras 3 model, and then gives NaN: they become constants first.
    answers = portable(model).get_concrete_function()
    constant, names = as_constants(answers), sorted(answers.structured_outputs)
    module = tf.Module()
    module.named = tf.function(
        lambda photos: dict(zip(names, constant(photos), strict=True)), input_signature=[PHOTOS]
    )  # the outputs of a file without a signature have neither names nor an order
    with TemporaryDirectory(dir=path.parent) as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.named})
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
    labels = "".join(f"{name}\n" for name in model.classes).encode(errors="surrogateescape")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo("labels.txt", LONG_AGO), labels)


def open_tflite(path: Path) -> list[Ask]:
    """Asks LiteRT by the names of inputs and outputs."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - an extra

    runner = Interpreter(str(path)).get_signature_runner(SIGNATURE)
    return [lambda photo: _columns(runner(photos=photo))]


def write_openvino(model: Model, path: Path) -> None:
    """A folder, as ``openvino_files`` says."""
    import openvino  # noqa: PLC0415 - takes half a second

    save_openvino(openvino.convert_model(portable(model).get_concrete_function()), path, model.classes)


FORMATS = {
    "savedmodel": Format(write_savedmodel, open_savedmodel, []),
    "onnx": Format(write_onnx, open_onnx, ["tf2onnx", "onnx", "onnxruntime"]),
    "openvino": Format(write_openvino, open_openvino, ["openvino"]),
    "tflite": Format(write_tflite, open_tflite, ["ai_edge_litert"]),
}
