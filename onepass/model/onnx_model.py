"""The whole model as a .onnx file: the graph of the backbone with what is before and behind it joined on.

It repeats what extraction, train-head and evaluate do, and is checked against them before it is kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onepass.backbones import Backbone
from onepass.core import UserError, check_recorded, first_line, write_atomically
from onepass.engines import BATCH, Forward, in_pieces, onnx_session
from onepass.heads import TrainedHead, network_of
from onepass.model.resizing_graph import resizing_nodes
from onepass.model.templates import layers_of
from onepass.model.writers import check_is_here
from onepass.onnx import FLOAT, FLOAT16, TO_FIRST, Chain, converted
from onepass.photos import Framing, smallest_size

SIZES = ((1, 1), (7, 300), (150, 150), (375, 500), (640, 480))  # of the photos of the check: height, width
DIFFERENCE = {"float32": 2e-3, "bfloat16": 5e-2}  # of a probability, at most; the file computes in float32
SHORTEST = np.array([1e-12], np.float32)


class OnnxModel(NamedTuple):
    """A whole model as its file holds it."""

    forward: Forward  # uint8 RGB (batch, height, width, 3) to float32 (batch, classes)
    classes: list[str]
    decoding: str  # of the files that its training photos came from: scaled | exact
    framing: Framing  # what of a photo its first operations give to the others

    @property
    def smallest(self) -> int | None:
        """To how many pixels height and width of a photo are reduced when it is decoded, as ``decode`` takes it."""
        return smallest_size(self.decoding, self.framing.side)


def write_onnx_model(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    """Writes the model of a backbone and a head.

    Raises:
        UserError: the backbone cannot be read, or the file would say something else than its features and the head.

    """
    content = whole_onnx_model(backbone, head).SerializeToString(deterministic=True)
    difference = largest_difference(content, backbone, head)
    if not difference <= DIFFERENCE[backbone.precision]:
        raise UserError(
            f"{path} would differ from what evaluate says by {difference:.2g} in a probability; allowed: "
            f"{DIFFERENCE[backbone.precision]:g}. Nothing is written. Try another backbone.runtime, or another version "
            "of onnxruntime."
        )
    write_atomically(path, content)


def whole_onnx_model(backbone: Backbone, head: TrainedHead) -> Any:
    """uint8 RGB ``photos`` (batch, height, width, 3), 0..255, to float32 ``probabilities`` (batch, classes)."""
    from onnx import helper  # noqa: PLC0415 - an extra

    model = backbone.source.whole_network(backbone)
    graph = model.graph
    batch = graph.input[0].type.tensor_type.shape.dim[0]
    nodes, constants = resizing_nodes(backbone.framing)
    answer = _probabilities(head, graph.output[0].name, backbone.storage)
    photos = helper.make_tensor_value_info(
        "photos", graph.input[0].type.tensor_type.elem_type, [batch.dim_value or "batch", "height", "width", 3]
    )
    answers = helper.make_tensor_value_info(answer.end, FLOAT, [batch.dim_value or "batch", len(head.classes)])
    own, own_constants = list(graph.node), list(graph.initializer)
    for field in ("node", "initializer", "input", "output"):
        graph.ClearField(field)
    graph.node.extend([*nodes, *own, *answer.nodes])
    graph.initializer.extend([*constants, *own_constants, *answer.constants])
    graph.input.append(photos)
    graph.output.append(answers)
    cut_off = backbone.framing._replace(side=backbone.framing.resized, crop=backbone.crop and 1.0)
    helper.set_model_props(model, metadata(head.classes, backbone.decoding, cut_off))
    return model


def metadata(classes: list[str], decoding: str, framing: Framing) -> dict[str, str]:
    """What the file says of itself, as ``opened`` reads it."""
    crops = str(int(framing.crop is not None))
    return {"classes": json.dumps(classes), "decoding": decoding, "side": str(framing.side), "crops": crops}


def _probabilities(head: TrainedHead, features: str, storage: str) -> Chain:
    """What ``TrainedHead.probabilities`` computes of the features."""
    values = Chain("head", features)
    if storage == "float16":  # rounded, as stored features are, on which the head was trained
        values.then("Cast", to=FLOAT16).then("Cast", to=FLOAT)
    if head.network is not None:
        values.through(_network_of(head))
    if head.pooling != "none":
        values.then("Transpose", perm=TO_FIRST).then(f"Global{'Average' if head.pooling == 'avg' else 'Max'}Pool")
    values.then("Flatten", axis=1)
    if head.feature_scale != 1:
        values.then("Mul", np.array(head.feature_scale, np.float32))
    if head.unit_length:
        ones = np.ones((len(head.weights[0]), 1), np.float32)
        lengths = Chain("lengths", values.end).then("Mul", values.end).then("MatMul", ones).then("Sqrt")
        values.beside(lengths.then("Max", SHORTEST)).then("Div", lengths.end)
    *hidden, last = zip(*layers_of(head), strict=True)
    for kernel, bias in hidden:
        values.then("MatMul", kernel).then("Add", bias).then("Relu")
    return values.then("MatMul", last[0]).then("Add", last[1]).then("Softmax", axis=1).called("probabilities")


def _network_of(head: TrainedHead) -> Any:
    """The Keras network of a head as an ONNX model."""
    from onepass.heads import restore_network  # noqa: PLC0415 - imports TensorFlow
    from onepass.tensorflow import tf  # noqa: PLC0415

    network = restore_network(head)
    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="maps")]
    function = tf.function(lambda maps: network(maps, training=False), input_signature=signature)
    return converted(function, signature)


def read_onnx_model(path: Path) -> OnnxModel:
    """The model in a file that train-head wrote. UserError where it is none, or no longer what dvc.lock says."""
    check_recorded(path)
    try:
        check_is_here(path)
        return opened(path.read_bytes())
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}. `dvc repro` writes the model.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is ONNX, but no model from photos to classes as train-head writes it: {first_line(error)}."
        ) from error
    except Exception as error:  # of a damaged file ONNX Runtime raises types of its own
        raise UserError(f"{path} cannot be run: {first_line(error)}. `dvc repro` writes the model.") from error


def opened(content: bytes) -> OnnxModel:
    """A model from its bytes. ValueError, KeyError: it is another one than ours; else what ONNX Runtime raises."""
    session = onnx_session(content)
    about = session.get_modelmeta().custom_metadata_map
    (batch, *_), (name,) = session.get_inputs()[0].shape, (one.name for one in session.get_inputs())

    def call(photos: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(["probabilities"], {name: photos})[0]
        return found

    forward = Forward(call, at_once=2)
    return OnnxModel(
        in_pieces(forward, batch) if isinstance(batch, int) else forward,
        json.loads(about["classes"]),
        about["decoding"],
        Framing(int(about["side"]), 1.0 if about["crops"] == "1" else None),
    )


def largest_difference(content: bytes, backbone: Backbone, head: TrainedHead) -> float:
    """Between the probabilities of the file and those of features and head, over images of several sizes."""
    ask, forward, maps = opened(content).forward, backbone.load().forward(BATCH), network_of(head)
    differences = []
    for photo in photos_of_the_check():
        pixels = np.zeros((BATCH, *backbone.pixel_shape), np.uint8)
        pixels[0] = backbone.framing.pixels(photo)
        features = forward(pixels)[:1].astype(backbone.storage).astype(np.float32)
        expected = head.probabilities(maps(features))
        differences.append(np.abs(ask(np.asarray(photo)[None]) - expected).max())
    return float(np.max(differences))


def photos_of_the_check() -> Iterator[Image.Image]:
    """Coarse noise, as an image of each size: it has edges and planes, which noise alone has not."""
    random = np.random.default_rng(0)
    for height, width in SIZES:
        coarse = random.integers(0, 256, (9, 9, 3), np.uint8)
        yield Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
