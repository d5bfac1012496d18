"""The whole model as a .onnx file: the graph of the backbone with what is before and behind it joined on.

It repeats what extraction, train-head and evaluate do, and is checked against them before it is kept.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.backbones import Backbone
from onepass.core import UserError, check_recorded, first_line, write_atomically
from onepass.engines import BATCH, Forward, in_pieces, onnx_session
from onepass.heads import NEIGHBOURS, SHORTEST, Limits, TrainedHead, network_of
from onepass.model.resizing_graph import resizing_nodes
from onepass.model.sample_photos import Difference, sample_photos
from onepass.model.templates import layers_of
from onepass.model.writers import check_is_here
from onepass.onnx import BOOL, FLOAT, FLOAT16, TO_FIRST, Chain, converted
from onepass.photos import Framing, smallest_size

SIZES = ((1, 1), (7, 300), (150, 150), (375, 500), (640, 480))  # of the photos of the check: height, width


class OnnxModel(NamedTuple):
    """A whole model as its file holds it."""

    forward: Forward  # uint8 RGB (batch, height, width, 3) to float32 (batch, classes); with limits also the distance
    classes: list[str]
    decoding: str  # of the files that its training photos came from: scaled | exact
    framing: Framing  # what of a photo its first operations give to the others
    limits: Limits | None  # up to where its answers are believed; None: nobody chose any

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
    if problem := difference(content, backbone, head).problem(backbone.precision):
        raise UserError(
            f"{path}, against what evaluate says, would {problem}. Nothing is written. Try another backbone.runtime, "
            "or another version of onnxruntime."
        )
    write_atomically(path, content)


def whole_onnx_model(backbone: Backbone, head: TrainedHead) -> Any:
    """uint8 RGB ``photos`` (batch, height, width, 3), 0..255, to float32 ``probabilities`` (batch, classes).

    With limits also ``distance``, float32 (batch, 1), and whether it is ``sure`` and ``familiar``, bool (batch, 1).
    """
    from onnx import helper  # noqa: PLC0415 - an extra

    model = backbone.source.whole_network(backbone)
    graph = model.graph
    batch = graph.input[0].type.tensor_type.shape.dim[0]
    nodes, constants = resizing_nodes(backbone.framing)
    answer, ends = answers(head, graph.output[0].name, backbone.storage)
    photos = helper.make_tensor_value_info(
        "photos", graph.input[0].type.tensor_type.elem_type, [batch.dim_value or "batch", "height", "width", 3]
    )
    outputs = [
        helper.make_tensor_value_info(name, kind, [batch.dim_value or "batch", columns])
        for name, (kind, columns) in ends.items()
    ]
    own, own_constants = list(graph.node), list(graph.initializer)
    for field in ("node", "initializer", "input", "output"):
        graph.ClearField(field)
    graph.node.extend([*nodes, *own, *answer.nodes])
    graph.initializer.extend([*constants, *own_constants, *answer.constants])
    graph.input.append(photos)
    graph.output.extend(outputs)
    cut_off = backbone.framing._replace(side=backbone.framing.resized, crop=backbone.crop and 1.0)
    helper.set_model_props(model, metadata(head.classes, backbone.decoding, cut_off, head.limits))
    return model


def metadata(classes: list[str], decoding: str, framing: Framing, limits: Limits | None) -> dict[str, str]:
    """What the file says of itself, as ``opened`` reads it."""
    crops = str(int(framing.crop is not None))
    seen = {"side": str(framing.side), "crops": crops, "interpolation": framing.interpolation}
    about = {"classes": json.dumps(classes), "decoding": decoding, **seen}
    return about | ({"limits": limits.model_dump_json()} if limits else {})


def answers(head: TrainedHead, features: str, storage: str) -> tuple[Chain, dict[str, tuple[int, int]]]:
    """All operations from features to answers, and the outputs by name: their type and how many columns they have."""
    stored = Chain("stored", features)
    if storage == "float16":  # rounded, as stored features are, on which the head was trained
        stored.then("Cast", to=FLOAT16).then("Cast", to=FLOAT)
    probabilities = _probabilities(head, stored.end)
    stored.beside(probabilities)
    ends = {"probabilities": (FLOAT, len(head.classes))}
    if head.prototypes is not None and head.limits:
        best = Chain("best", probabilities.end).then("TopK", np.array([1], np.int64), unread=1, axis=1)
        stored.beside(best.then("GreaterOrEqual", np.array(head.limits.sure, np.float32)).called("sure"))
        distance = _distance(head.prototypes, stored.end)
        stored.beside(distance)
        near = Chain("near", distance.end).then("LessOrEqual", np.array(head.limits.familiar, np.float32))
        stored.beside(near.called("familiar"))
        ends |= {"distance": (FLOAT, 1), "sure": (BOOL, 1), "familiar": (BOOL, 1)}
    return stored, ends


def _distance(prototypes: NDArray[np.float32], features: str) -> Chain:
    """What ``TrainedHead.distances`` computes of the features: (batch, 1)."""
    count, channels = prototypes.shape
    nearest = min(NEIGHBOURS, count)
    means = Chain("means", features).then("Reshape", np.array([0, -1, channels], np.int64))
    means.then("Transpose", perm=(0, 2, 1)).then("GlobalAveragePool").then("Flatten", axis=1)
    lengths = Chain("farness", means.end).then("Abs").then("Sqrt")
    roots = lengths.end
    means.then("Sign").beside(lengths).then("Mul", roots)
    _of_unit_length(means, channels)
    means.then("MatMul", np.ascontiguousarray(prototypes.T))
    means.then("TopK", np.array([nearest], np.int64), unread=1, axis=1)
    means.then("MatMul", np.full((nearest, 1), -1 / nearest, np.float32)).then("Add", np.ones(1, np.float32))
    return means.called("distance")


def _of_unit_length(rows: Chain, values: int) -> None:
    """Adds that each row, of so many values, is divided by its length."""
    lengths = Chain(f"{rows.end}/length", rows.end).then("Mul", rows.end)
    lengths.then("MatMul", np.ones((values, 1), np.float32)).then("Sqrt").then("Max", np.array([SHORTEST], np.float32))
    rows.beside(lengths).then("Div", lengths.end)


def _probabilities(head: TrainedHead, features: str) -> Chain:
    """What ``TrainedHead.probabilities`` computes of the features."""
    values = Chain("head", features)
    if head.network is not None:
        values.through(_network_of(head))
    if head.pooling != "none":
        values.then("Transpose", perm=TO_FIRST).then(f"Global{'Average' if head.pooling == 'avg' else 'Max'}Pool")
    values.then("Flatten", axis=1)
    if head.feature_scale != 1:
        values.then("Mul", np.array(head.feature_scale, np.float32))
    if head.unit_length:
        _of_unit_length(values, len(head.weights[0]))
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

    limits = Limits.model_validate_json(about["limits"]) if "limits" in about else None
    wanted = ["probabilities", "distance"] if limits else ["probabilities"]

    def call(photos: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.hstack(session.run(wanted, {name: photos}))

    forward = Forward(call, at_once=2)
    return OnnxModel(
        in_pieces(forward, batch) if isinstance(batch, int) else forward,
        json.loads(about["classes"]),
        about["decoding"],
        Framing(int(about["side"]), 1.0 if about["crops"] == "1" else None, about.get("interpolation", "bilinear")),
        limits,
    )


def difference(content: bytes, backbone: Backbone, head: TrainedHead) -> Difference:
    """Between what the file says and what features and head say, over images of several sizes."""
    ask, forward, maps = opened(content).forward, backbone.load().forward(BATCH), network_of(head)
    differences = []
    for photo in sample_photos(SIZES):
        pixels = np.zeros((BATCH, *backbone.pixel_shape), np.uint8)
        pixels[0] = backbone.framing.pixels(photo)
        features = forward(pixels)[:1].astype(backbone.storage).astype(np.float32)
        expected = head.probabilities(maps(features))
        if head.limits:
            expected = np.hstack([expected, head.distances(features)[:, None]])
        differences.append(np.abs(ask(np.asarray(photo)[None]) - expected).max())
    return Difference.of(differences)
