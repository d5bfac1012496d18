"""data/model.onnx says of a photo what evaluate says of its features, and data/model.keras says where it is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from onepass.backbones import Backbone
from onepass.cli.export import command as export_command
from onepass.core import UserError
from onepass.heads import TrainedHead, network_of
from onepass.model import onnx_model, write_model
from onepass.model.onnx_model import read_onnx_model
from onepass.model.openvino_files import open_openvino
from onepass.photos import resize
from tests import builders
from tests.builders import ROOT
from tests.hostile.onnx_files import SIDE, made, network
from tests.unit.heads.small_heads import LIMITS, dense_arrays, knowing

CLASSES = ["ant", "bee", "=cät\n"]
MAPS = SIDE * SIDE * 4  # values of the network's output


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    path.write_bytes(network().SerializeToString())
    return path


def backbone(weights: Path, **changes: Any) -> Backbone:
    given = {"name": "onnx", "weights": str(weights), "image_side": SIDE, "layer": "last", "preprocess": "tf"}
    return builders.backbone(**{**given, **changes})


def photos() -> list[Image.Image]:
    """Photos of several sizes, each with little noise around a colour of its own."""
    random = np.random.default_rng(4)
    sizes = [(SIDE, SIDE), (7, 40), (90, 61), (33, 200), (1, 1), (16, 16)] * 2
    noise = [random.integers(-30, 30, (height, width, 3)) for width, height in sizes]
    return [Image.fromarray((pixels + random.integers(40, 200, 3)).astype(np.uint8)) for pixels in noise]


def linear(**changes: Any) -> TrainedHead:
    return TrainedHead(CLASSES[:2], "sigmoid", 1.0, "none", weights=dense_arrays(MAPS, 1))._replace(**changes)


def mlp(**changes: Any) -> TrainedHead:
    return TrainedHead(CLASSES, "softmax", 1 / 255, "none", weights=dense_arrays(MAPS, 6, 5, 3))._replace(**changes)


def pooled(pooling: str) -> TrainedHead:
    return TrainedHead(CLASSES, "softmax", 1.0, pooling, weights=dense_arrays(4, 3))


def cnn() -> TrainedHead:
    from onepass.heads.kinds.cnn import convolutions
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(1)
    network = convolutions([5], [SIDE, SIDE, 4], 1.0)
    own = [np.asarray(array) for array in network.get_weights()]
    description = keras.saving.serialize_keras_object(network)
    arrays = dense_arrays(SIDE // 2 * SIDE // 2 * 5, 3)
    return TrainedHead(CLASSES, "softmax", 1.0, "none", description, weights=arrays, network_weights=own)


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (linear, {}),
        (mlp, {"preprocess": "caffe"}),
        (lambda: mlp(unit_length=True), {}),
        (lambda: pooled("avg"), {"storage": "float16"}),
        (lambda: pooled("max"), {"runtime": "onnxruntime"}),
        (lambda: pooled("none"), {"pooling": "avg"}),
        (cnn, {}),
        (linear, {"resize": "crop"}),
        (mlp, {"resize": "crop", "crop_fraction": 0.5}),
        (mlp, {"resize": "crop", "interpolation": "bicubic"}),
    ],
    ids=[
        "linear",
        "mlp",
        "of length one",
        "mean",
        "maximum",
        "pooled before",
        "cnn",
        "cropped",
        "cropped much",
        "cubic",
    ],
)
def test_the_file_gives_the_probabilities_that_evaluate_gives(
    make: Callable[[], TrainedHead], changes: dict[str, str], weights: Path, tmp_path: Path
) -> None:
    given, head = backbone(weights, **changes), make()
    pixels = np.stack([given.framing.pixels(photo) for photo in photos()])
    stored = given.load().forward(len(pixels))(pixels).astype(given.storage).astype(np.float32)
    expected = head.probabilities(network_of(head)(stored))
    assert np.ptp(expected, axis=0).max() > 0.01  # the photos, and so a wrong model, would show
    write_model(tmp_path / "model.keras", given, head)
    model = read_onnx_model(tmp_path / "model.onnx")
    found = np.concatenate([model.forward(np.asarray(photo)[None]) for photo in photos()])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert (model.classes, model.framing.side, model.decoding) == (head.classes, given.framing.resized, "scaled")
    framed = np.stack([model.framing.pixels(photo) for photo in photos()])  # as predict does
    np.testing.assert_allclose(model.forward(framed), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "changes"), [(mlp, {}), (lambda: pooled("none"), {"pooling": "avg", "storage": "float16"}), (cnn, {})]
)
def test_the_file_says_how_far_a_photo_is_and_what_that_means(
    make: Callable[[], TrainedHead], changes: dict[str, str], weights: Path, tmp_path: Path
) -> None:
    given = backbone(weights, **changes)
    pixels = np.stack([given.framing.pixels(photo) for photo in photos()])
    stored = given.load().forward(len(pixels))(pixels).astype(given.storage).astype(np.float32)
    head = knowing(make(), 4)
    distances = head.distances(stored)
    middle = float(np.median(distances)) + 1e-5
    head = head._replace(limits=LIMITS.model_copy(update={"familiar": middle}))
    write_model(tmp_path / "model.keras", given, head)
    model = read_onnx_model(tmp_path / "model.onnx")
    assert model.limits == head.limits
    found = np.concatenate([model.forward(np.asarray(photo)[None]) for photo in photos()])
    np.testing.assert_allclose(found[:, -1], distances, atol=1e-4)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    said = [session.run(["sure", "familiar"], {"photos": np.asarray(photo)[None]}) for photo in photos()]
    assert [bool(familiar) for _, familiar in said] == [bool(far <= middle) for far in distances]
    assert [bool(sure) for sure, _ in said] == [bool(row[:-1].max() >= LIMITS.sure) for row in found]


@pytest.mark.parametrize("batch", [1, 3])
def test_a_graph_of_a_fixed_batch_takes_any_number_of_photos(batch: int, tmp_path: Path) -> None:
    weights = tmp_path / "net.onnx"
    weights.write_bytes(network([batch, 3, SIDE, SIDE]).SerializeToString())
    write_model(tmp_path / "model.keras", backbone(weights), linear())
    model = read_onnx_model(tmp_path / "model.onnx")
    pixels = np.stack([resize(photo, SIDE) for photo in photos()])
    one_by_one = np.concatenate([model.forward(pixels[number : number + 1]) for number in range(len(pixels))])
    np.testing.assert_allclose(model.forward(pixels), one_by_one, atol=1e-6)


def test_the_same_model_has_the_same_bytes_and_says_where_it_is(weights: Path, tmp_path: Path) -> None:
    for name in ("once", "again"):
        write_model(tmp_path / f"{name}.keras", backbone(weights), mlp())
    assert (tmp_path / "once.onnx").read_bytes() == (tmp_path / "again.onnx").read_bytes()
    assert (tmp_path / "once.keras").read_text() == f"The model of this run is {tmp_path}/once.onnx.\n"
    from onepass.model.keras_model import read_model

    with pytest.raises(UserError, match=r"once\.keras holds no model\. The model of this run is .*once\.onnx"):
        read_model(tmp_path / "once.keras")


def test_the_other_way_round_the_keras_model_is_named(tiny_backbone: Path, tmp_path: Path) -> None:
    given = builders.backbone(weights=str(tiny_backbone), image_side=16, layer="late", pooling="avg")
    write_model(
        tmp_path / "model.keras", given, TrainedHead(CLASSES, "softmax", 1.0, "none", weights=dense_arrays(8, 3))
    )
    with pytest.raises(UserError, match=r"model\.onnx holds no model\. The model of this run is .*model\.keras"):
        read_onnx_model(tmp_path / "model.onnx")


def test_a_model_that_would_say_something_else_is_not_written(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "other.keras", backbone(weights), linear())
    other = read_onnx_model(tmp_path / "other.onnx")
    monkeypatch.setattr(onnx_model, "opened", lambda _content: other)
    changed = linear(weights=[-array for array in linear().weights])
    with pytest.raises(
        UserError,
        match=r"against what evaluate says, would differ by .* in a probability or distance, .*; allowed: 0.002",
    ):
        write_model(tmp_path / "model.keras", backbone(weights), changed)
    assert not (tmp_path / "model.onnx").exists()


def test_it_is_written_as_files_of_openvino_too(weights: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "model.keras", backbone(weights, resize="crop", interpolation="bicubic"), mlp())
    line = [str(tmp_path / "model.onnx"), "--format", "openvino", "--output", str(tmp_path / "files")]
    done = CliRunner().invoke(export_command, line)
    assert "largest difference" in done.output
    (ask,) = open_openvino(tmp_path / "files")
    forward = read_onnx_model(tmp_path / "model.onnx").forward
    for photo in photos():
        np.testing.assert_allclose(ask(np.asarray(photo)[None]), forward(np.asarray(photo)[None]), atol=1e-4)
    line[2] = "tflite"
    refused = CliRunner().invoke(export_command, [*line[:-1], str(tmp_path / "other")])
    assert "tflite given; allowed for" in str(refused.exception)


def test_what_is_no_such_model_is_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.onnx cannot be read: No such file"):
        read_onnx_model(tmp_path / "absent.onnx")
    with pytest.raises(UserError, match=r"net\.onnx is ONNX, but no model from photos to classes"):
        read_onnx_model(weights)
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(UserError, match=r"text\.onnx cannot be run: "):
        read_onnx_model(tmp_path / "text.onnx")


def test_predict_imports_no_tensorflow(weights: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "model.keras", backbone(weights), mlp())
    photos()[2].save(tmp_path / "photo.png")
    script = (
        "import sys, onepass; sys.modules['tensorflow'] = None\n"
        "from onepass.cli import main\nmain(['predict', 'model.onnx', 'photo.png', '--format', 'jsonl'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stored = backbone(weights).load().forward(1)(resize(photos()[2], SIDE)[None])
    expected: NDArray[np.float64] = mlp().probabilities(stored)[0]
    (answer,) = map(json.loads, done.stdout.splitlines())
    assert answer["predicted"] == CLASSES[int(expected.argmax())]


def test_a_tensor_that_is_called_as_one_of_ours_is_no_clash(tmp_path: Path) -> None:
    from onnx import helper

    nodes = [helper.make_node("Relu", ["image"], ["pixels"]), helper.make_node("Relu", ["pixels"], ["probabilities"])]
    weights = tmp_path / "net.onnx"
    weights.write_bytes(made(nodes, output="probabilities").SerializeToString())
    head = TrainedHead(CLASSES, "softmax", 1.0, "none", weights=dense_arrays(SIDE * SIDE * 3, 3))
    write_model(tmp_path / "model.keras", backbone(weights), head)
    assert read_onnx_model(tmp_path / "model.onnx").classes == CLASSES
