"""data/model.keras says of a photo what evaluate says of its features."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.test_head import arrays
from tests.test_training import HEAD, TRAIN

from onepass.core import UserError
from onepass.heads import Dataset, TrainedHead
from onepass.heads.inference import network_of
from onepass.heads.logistic import fit_regression
from onepass.params import HEAD_TODO as HeadParams
from onepass.params import TRAIN_TODO, BackboneParams
from onepass.photos import grayscale, resize

SIDE = 16
BACKBONE = {"name": "custom", "image_side": SIDE, "layer": "late", "pooling": "none", "views": 1}
PREPARED = {"preprocess": "rescale", "precision": "float32", "runtime": "tensorflow", "color_mode": "rgb"}
TRAINED = TRAIN_TODO.model_validate(TRAIN)
CLASSES = ["ant", "bee", "=cat\n\udcff"]


@pytest.fixture(autouse=True)
def float32() -> Iterator[None]:
    """What bfloat16 makes of every graph of the process ends with the test."""
    yield
    from onepass.tensorflow import tf

    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": False})


def photos() -> list[Image.Image]:
    """Photos of several sizes, smaller and larger than the side, each with little noise around a colour of its own."""
    random = np.random.default_rng(4)
    sizes = [(16, 16), (7, 40), (90, 61), (33, 200), (1, 1)] * 2
    noise = [random.integers(-30, 30, (height, width, 3)) for width, height in sizes]
    return [Image.fromarray((pixels + random.integers(40, 200, 3)).astype(np.uint8)) for pixels in noise]


def features(backbone: BackboneParams) -> NDArray[Any]:
    """What extraction stores of the photos."""
    from onepass.backbones.truncated_network import TruncatedNetwork

    pixels = np.stack([resize(photo, SIDE) for photo in photos()])
    if backbone.layer == "input":
        return grayscale(pixels) if backbone.color_mode == "grayscale" else pixels
    return TruncatedNetwork(backbone, SIDE).forward(len(pixels))(pixels)


def linear(_: BackboneParams, stored: NDArray[Any]) -> TrainedHead:
    return TrainedHead(CLASSES[:2], "sigmoid", 1.0, "none", weights=arrays(stored[0].size, 1))


def mlp(_: BackboneParams, stored: NDArray[Any]) -> TrainedHead:
    return TrainedHead(CLASSES, "softmax", 1.0, "none", weights=arrays(stored[0].size, 6, 5, 3))


def logistic(_: BackboneParams, stored: NDArray[Any]) -> TrainedHead:
    head = TrainedHead(CLASSES[:2], "softmax", 1 / 255, "none")
    values = head.inputs(stored)
    bright = (values.mean(axis=1) > np.median(values)).astype(np.int64)
    fitted = fit_regression(Dataset(values, bright, np.arange(len(values))), head.logits, TRAINED)
    return head._replace(weights=fitted.weights)


def cnn(_: BackboneParams, stored: NDArray[Any]) -> TrainedHead:
    from onepass.heads.cnn import DESCRIBE_TODO, convolutions

    params = HeadParams.model_validate(HEAD | {"kind": "cnn", "filters": [4, 5]})
    network = convolutions(params, list(stored.shape[1:]), 1 / 255)
    network.set_weights([2 * array for array in network.get_weights()])
    weights = arrays(SIDE // 4 * SIDE // 4 * 5, 6, 3)
    return TrainedHead(
        CLASSES, "softmax", 1.0, "none", DESCRIBE_TODO(network), weights=weights, network_weights=weights_of(network)
    )


def tail(backbone: BackboneParams, _: NDArray[Any]) -> TrainedHead:
    from onepass.backbones.fine_tuning import layers_above
    from onepass.heads.cnn import DESCRIBE_TODO

    network = layers_above(backbone, TRAINED.model_copy(update={"unfreeze": "late"}), SIDE)
    network.set_weights([2 * array for array in network.get_weights()])
    return TrainedHead(
        CLASSES,
        "softmax",
        1.0,
        "avg",
        DESCRIBE_TODO(network),
        weights=arrays(8, 3),
        network_weights=weights_of(network),
    )


def weights_of(network: Any) -> list[NDArray[np.float32]]:
    return list(network.get_weights())


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (linear, {"pooling": "avg", "preprocess": "caffe"}),
        (linear, {"pooling": "max", "preprocess": "torch"}),
        (mlp, {"preprocess": "tf", "precision": "bfloat16"}),
        (logistic, {"layer": "input"}),
        (cnn, {"layer": "input"}),
        (cnn, {"layer": "input", "color_mode": "grayscale"}),
        (tail, {"layer": "early"}),
    ],
)
def test_the_file_gives_the_probabilities_that_evaluate_gives(
    make: Callable[[BackboneParams, NDArray[Any]], TrainedHead],
    changes: dict[str, str],
    tiny_backbone: Path,
    tmp_path: Path,
) -> None:
    from onepass.model.keras_model import WRITE_MODEL_TODO, whole_model
    from onepass.tensorflow import keras

    backbone = BackboneParams.model_validate(BACKBONE | PREPARED | {"weights": str(tiny_backbone)} | changes)
    stored = features(backbone)
    head = make(backbone, stored)
    expected = head.probabilities(network_of(head)(stored))
    assert np.ptp(expected, axis=0).max() > 0.01  # the photos, and so a wrong model, would show
    WRITE_MODEL_TODO(tmp_path / "model.keras", whole_model(backbone, head), head.classes)
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    found = np.concatenate([model(np.asarray(photo)[None]) for photo in photos()])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_same_model_has_the_same_bytes_and_its_class_names_inside(tiny_backbone: Path, tmp_path: Path) -> None:
    from onepass.model.keras_model import WRITE_MODEL_TODO, read_model, whole_model

    backbone = BackboneParams.model_validate(
        BACKBONE | PREPARED | {"weights": str(tiny_backbone), "preprocess": "caffe"}
    )
    head = mlp(backbone, features(backbone))
    for name in ("once.keras", "again.keras"):
        WRITE_MODEL_TODO(tmp_path / name, whole_model(backbone, head), head.classes)
    assert (tmp_path / "once.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
    assert read_model(tmp_path / "once.keras").classes == CLASSES
    with zipfile.ZipFile(tmp_path / "once.keras") as archive:
        assert set(json.loads(archive.read("metadata.json"))) == {"classes", "keras_version"}


def test_what_is_no_such_model_is_refused_with_the_way_to_one(tiny_backbone: Path, tmp_path: Path) -> None:
    from onepass.model.keras_model import read_model

    with pytest.raises(UserError, match=r"absent.keras cannot be read: No such file.*dvc repro"):
        read_model(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(UserError, match=r"text.keras is no .keras model that can be loaded: File is not a zip file"):
        read_model(tmp_path / "text.keras")
    with pytest.raises(UserError, match=r"but not one from photos to classes .* metadata.json names 0 classes"):
        read_model(tiny_backbone)
