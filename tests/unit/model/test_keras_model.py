"""data/model.keras says of a photo what evaluate says of its features."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from onepass.backbones import Backbone
from onepass.core import UserError
from onepass.heads import Dataset, TrainedHead
from onepass.heads.inference import network_of
from onepass.heads.kinds.logistic import fit_regression
from onepass.model import write_model
from onepass.photos import grayscale
from tests.unit.heads.small_heads import dense_arrays, knowing
from tests.unit.model import tiny_models
from tests.unit.model.tiny_models import SIDE, backbone

CLASSES = ["ant", "bee", "=cat\n\udcff"]


def photos() -> list[Image.Image]:
    """Photos of several sizes, smaller and larger than the side, each with little noise around a colour of its own."""
    random = np.random.default_rng(4)
    sizes = [(16, 16), (7, 40), (90, 61), (33, 200), (1, 1)] * 2
    noise = [random.integers(-30, 30, (height, width, 3)) for width, height in sizes]
    return [Image.fromarray((pixels + random.integers(40, 200, 3)).astype(np.uint8)) for pixels in noise]


def features(backbone: Backbone) -> NDArray[Any]:
    """What extraction stores of the photos, as it is read."""
    pixels = np.stack([backbone.framing.pixels(photo) for photo in photos()])
    pixels = grayscale(pixels) if backbone.channels == 1 else pixels
    found = backbone.load().forward(len(pixels))(pixels)
    return found.astype(np.float16).astype(np.float32) if backbone.storage == "float16" else found


def linear(_: Backbone, stored: NDArray[Any]) -> TrainedHead:
    return TrainedHead(CLASSES[:2], "sigmoid", 1.0, "none", weights=dense_arrays(stored[0].size, 1))


def of_unit_length(_: Backbone, stored: NDArray[Any]) -> TrainedHead:
    return tiny_models.mlp(stored, CLASSES)._replace(unit_length=True)


def mlp(_: Backbone, stored: NDArray[Any]) -> TrainedHead:
    return tiny_models.mlp(stored, CLASSES)


def logistic(_: Backbone, stored: NDArray[Any]) -> TrainedHead:
    head = TrainedHead(CLASSES[:2], "softmax", 1 / 255, "none")
    values = head.inputs(stored)
    bright = (values.mean(axis=1) > np.median(values)).astype(np.int64)
    fitted = fit_regression(Dataset(values, bright, np.arange(len(values))), head.logits, "none", seed=0)
    return head._replace(weights=fitted.weights)


def cnn(_: Backbone, stored: NDArray[Any]) -> TrainedHead:
    from onepass.heads.kinds.cnn import convolutions
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(1)  # whichever test ran before
    network = convolutions([4, 5], list(stored.shape[1:]), 1 / 255)
    return on_top_of(network, "none", dense_arrays(SIDE // 4 * SIDE // 4 * 5, 6, 3))


def fine_tuned(backbone: Backbone, _: NDArray[Any]) -> TrainedHead:
    return on_top_of(backbone.source.layers_above(backbone, "late", False), "avg", dense_arrays(8, 3))


def on_top_of(network: Any, pooling: str, weights: list[NDArray[np.float32]]) -> TrainedHead:
    """A head with this network below its dense layers, its weights other than those that it began with."""
    from onepass.tensorflow import keras

    network.set_weights([2 * array for array in network.get_weights()])
    description = keras.saving.serialize_keras_object(network)
    own = [np.asarray(array) for array in network.get_weights()]
    return TrainedHead(CLASSES, "softmax", 1.0, pooling, description, weights=weights, network_weights=own)


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (linear, {"pooling": "avg", "preprocess": "caffe"}),
        (linear, {"pooling": "max", "preprocess": "torch"}),
        (mlp, {"preprocess": "tf", "precision": "bfloat16", "runtime": "tensorflow"}),
        (mlp, {"preprocess": "caffe", "storage": "float16"}),
        (fine_tuned, {"layer": "early", "storage": "float16"}),
        (logistic, {"layer": "input"}),
        (of_unit_length, {"preprocess": "tf"}),
        (mlp, {"preprocess": "tf", "resize": "crop", "interpolation": "bicubic"}),
        (linear, {"pooling": "avg", "resize": "crop", "crop_fraction": 1.0}),
        (cnn, {"layer": "input"}),
        (cnn, {"layer": "input", "color_mode": "grayscale"}),
        (fine_tuned, {"layer": "early"}),
    ],
)
def test_the_file_gives_the_probabilities_that_evaluate_gives(
    make: Callable[[Backbone, NDArray[Any]], TrainedHead],
    changes: dict[str, str],
    tiny_backbone: Path,
    tmp_path: Path,
) -> None:
    from onepass.tensorflow import keras

    given = backbone(tiny_backbone, **changes)
    stored = features(given)
    head = make(given, stored)
    expected = head.probabilities(network_of(head)(stored))
    assert np.ptp(expected, axis=0).max() > 0.01  # the photos, and so a wrong model, would show
    write_model(tmp_path / "model.keras", given, head)
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    found = np.concatenate([model(np.asarray(photo)[None]) for photo in photos()])
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (mlp, {"pooling": "avg", "storage": "float16"}),
        (mlp, {"resize": "crop"}),
        (fine_tuned, {"layer": "early"}),
        (logistic, {"layer": "input"}),
    ],
)
def test_the_file_gives_the_distance_that_evaluate_takes(
    make: Callable[[Backbone, NDArray[Any]], TrainedHead], changes: dict[str, str], tiny_backbone: Path, tmp_path: Path
) -> None:
    from onepass.model.keras_model import read_model

    given = backbone(tiny_backbone, **changes)
    stored = features(given)
    head = knowing(make(given, stored), stored.shape[-1])
    expected = head.distances(stored)
    assert np.ptp(expected) > (0.001 if changes.get("layer") == "input" else 0.01)
    write_model(tmp_path / "model.keras", given, head)
    model = read_model(tmp_path / "model.keras")
    assert model.limits == head.limits
    answers = np.concatenate([model.answers()(np.asarray(photo)[None]) for photo in photos()])
    plain = np.concatenate([model.network(np.asarray(photo)[None]) for photo in photos()])
    np.testing.assert_allclose(answers[:, -1], expected, atol=1e-4)
    np.testing.assert_array_equal(answers[:, :-1], plain)
    assert plain.shape[1] == len(head.classes)  # who loads it with plain Keras gets the probabilities alone


def test_the_file_rounds_features_as_they_are_stored(tiny_backbone: Path) -> None:
    from onepass.model.keras_model import whole_model
    from onepass.tensorflow import keras

    def rounded(storage: str) -> bool:
        given = backbone(tiny_backbone, storage=storage)
        network = whole_model(given, mlp(given, features(given)))
        to_head = keras.Model(network.input, network.get_layer("hidden1").input)
        found = np.concatenate([to_head(np.asarray(photo)[None]) for photo in photos()])
        return bool((found == found.astype(np.float16)).all())

    assert rounded("float16")
    assert not rounded("float32")


def test_the_file_of_a_bfloat16_backbone_is_as_near_to_openvino_as_bfloat16_is(
    tiny_backbone: Path, tmp_path: Path
) -> None:
    from onepass.tensorflow import keras

    given = backbone(tiny_backbone, preprocess="tf", precision="bfloat16", runtime="openvino")
    stored = features(given)
    head = mlp(given, stored)
    write_model(tmp_path / "model.keras", given, head)
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    found = np.concatenate([model(np.asarray(photo)[None]) for photo in photos()])
    # OpenVINO rounds in other places than Keras's layers do.
    np.testing.assert_allclose(found, head.probabilities(network_of(head)(stored)), atol=1e-2)


def test_the_same_model_has_the_same_bytes_and_its_class_names_inside(tiny_backbone: Path, tmp_path: Path) -> None:
    from onepass.model.keras_model import read_model

    given = backbone(tiny_backbone, preprocess="caffe")
    head = mlp(given, features(given))
    for name in ("once.keras", "again.keras"):
        write_model(tmp_path / name, given, head)
    assert (tmp_path / "once.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
    assert read_model(tmp_path / "once.keras").classes == CLASSES
    with zipfile.ZipFile(tmp_path / "once.keras") as archive:
        assert set(json.loads(archive.read("metadata.json"))) == {"classes", "decoding", "keras_version", "limits"}


def test_what_is_no_such_model_is_refused_with_the_way_to_one(tiny_backbone: Path, tmp_path: Path) -> None:
    from onepass.model.keras_model import read_model

    with pytest.raises(UserError, match=r"absent.keras cannot be read: No such file.*dvc repro"):
        read_model(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(UserError, match=r"text.keras is not read: BadZipFile: File is not a zip file"):
        read_model(tmp_path / "text.keras")
    with pytest.raises(UserError, match=r"but not one from photos to classes .* metadata.json names 0 classes"):
        read_model(tiny_backbone)
