"""The trained head as plain arrays."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import UserError
from onepass.heads import DESCRIPTION_FILE, WEIGHTS_FILE, Dataset, TrainedHead, figures, read_head, write_head
from onepass.heads.trained_head import PROTOTYPES_FILE, Arrays
from tests.builders import head_plan
from tests.unit.heads.small_heads import LIMITS, dense_arrays, knowing

ACTIVATIONS = {"sigmoid": 1, "softmax": 3}  # and their logits


def head(activation: str = "softmax", scale: float = 1.0, weights: Arrays = ()) -> TrainedHead:
    classes = ["ant", "bee"] if activation == "sigmoid" else ["ant", "bee", "cat"]
    dense = weights or dense_arrays(6, 4, ACTIVATIONS[activation])
    return TrainedHead(classes, activation, scale, "none", best_epoch=3, epochs=7, weights=dense)


def features(images: int = 9) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(images, 6)).astype(np.float32)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_head_comes_back_as_it_was_written(activation: str, tmp_path: Path) -> None:
    written = head(activation, scale=1 / 255)
    write_head(tmp_path, written)
    found = read_head(tmp_path)
    assert found._replace(weights=()) == written._replace(weights=(), network_weights=[])
    for before, after in zip(written.weights, found.weights, strict=True):
        assert after.dtype == np.float32
        np.testing.assert_array_equal(after, before)


def test_what_a_head_knows_of_its_photos_comes_back_too(tmp_path: Path) -> None:
    written = knowing(head(), 6).at_temperature(1.25)
    write_head(tmp_path, written)
    found = read_head(tmp_path)
    assert (found.temperature, found.limits) == (1.25, LIMITS)
    np.testing.assert_array_equal(found.distances(features()), written.distances(features()))
    unchanged = head().probabilities(features())
    logits, before = (np.log(chances) for chances in (found.probabilities(features()), unchanged))
    np.testing.assert_allclose((logits[:, 1] - logits[:, 0]) * 1.25, before[:, 1] - before[:, 0], rtol=1e-5)


def test_heads_of_the_same_photos_share_the_file_of_their_prototypes(tmp_path: Path) -> None:
    for name, scale in (("one", 1.0), ("other", 0.5)):
        write_head(tmp_path / name, knowing(head(scale=scale), 6))
    one, other = (tmp_path / name / PROTOTYPES_FILE for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    other.write_bytes(one.read_bytes()[:-4])
    with pytest.raises(UserError, match=r"holds no readable head .*`dvc repro --force train-head`"):
        read_head(tmp_path / "other")
    np.save(other, np.ones(6, np.float32))
    with pytest.raises(UserError, match=r"prototypes of the shape \(6,\); expected rows of features"):
        read_head(tmp_path / "other")
    other.unlink()
    with pytest.raises(UserError, match=r"prototypes.npy"):
        read_head(tmp_path / "other")


def test_identical_head_gives_identical_bytes_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_head(tmp_path / "now", head())
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_head(tmp_path / "later", head())
    for name in (DESCRIPTION_FILE, WEIGHTS_FILE):
        assert (tmp_path / "now" / name).read_bytes() == (tmp_path / "later" / name).read_bytes()


@pytest.mark.parametrize("kind", ["linear", "mlp"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_probabilities_are_those_of_the_keras_model(kind: str, activation: str) -> None:
    from onepass.heads.gradient_training import dense_layers
    from onepass.tensorflow import keras

    sizes = (6, 5, 4, ACTIVATIONS[activation]) if kind == "mlp" else (6, ACTIVATIONS[activation])
    weights = dense_arrays(*sizes)
    hidden = head_plan(kind, {"hidden_units": [5, 4]}).head.layers if kind == "mlp" else []
    model = keras.Sequential([keras.Input((6,)), *dense_layers(hidden, ACTIVATIONS[activation])])
    model.set_weights(weights)
    expected = keras.activations.get(activation)(model(features())).numpy()
    if activation == "sigmoid":
        expected = np.hstack([1 - expected, expected])
    found = head(activation, weights=weights).probabilities(features())
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("size", [1, 1e4])
def test_probabilities_sum_to_1_however_large_the_features(activation: str, size: float) -> None:
    found = head(activation).probabilities(features() * np.float32(size))
    assert found.shape == (9, 2 if activation == "sigmoid" else 3)
    assert np.all((found >= 0) & (found <= 1))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


def test_sigmoid_gives_the_probability_of_the_second_class() -> None:
    weights = [np.zeros((6, 1), np.float32), np.array([np.log(3)], np.float32)]
    np.testing.assert_allclose(head("sigmoid", weights=weights).probabilities(features(1)), [[0.25, 0.75]], atol=1e-6)


def test_pixels_are_scaled_and_flattened() -> None:
    pixels = np.random.default_rng(2).integers(256, size=(5, 1, 2, 3), dtype=np.uint8)
    expected = head().probabilities(pixels.reshape(5, 6).astype(np.float32) / 255)
    np.testing.assert_allclose(head(scale=1 / 255).probabilities(pixels), expected, atol=1e-6)


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_maps_are_pooled_over_height_and_width(pooling: str) -> None:
    maps = np.random.default_rng(2).normal(size=(5, 2, 3, 6)).astype(np.float32)
    values = maps.reshape(5, 6, 6).mean(axis=1) if pooling == "avg" else maps.reshape(5, 6, 6).max(axis=1)
    found = head()._replace(pooling=pooling).probabilities(maps)
    np.testing.assert_allclose(found, head().probabilities(values), atol=1e-6)


def test_figures_are_those_of_the_probabilities() -> None:
    labels = np.arange(9) % 3
    chances = head().probabilities(features())
    loss, accuracy = figures(head(), Dataset(features(), labels, np.arange(9)))
    assert loss == pytest.approx(np.mean([-np.log(row[label]) for row, label in zip(chances, labels, strict=True)]))
    assert accuracy == np.mean([row.argmax() == label for row, label in zip(chances, labels, strict=True)])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_list(path: Path) -> None:
    path.write_text("[]")


def single_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def changed_inside(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF  # within the numbers of the first array
    path.write_bytes(content)


def pickled(path: Path) -> None:
    np.savez(path, dense_0=np.array([{}], dtype=object))


def without_a_key(path: Path) -> None:
    path.write_text(json.dumps({"classes": ["ant", "bee"], "activation": "sigmoid"}))


DAMAGES: list[tuple[str, Callable[[Path], object]]] = [
    (DESCRIPTION_FILE, Path.unlink),
    (DESCRIPTION_FILE, empty),
    (DESCRIPTION_FILE, a_list),
    (DESCRIPTION_FILE, cut_short),
    (DESCRIPTION_FILE, without_a_key),
    (WEIGHTS_FILE, Path.unlink),
    (WEIGHTS_FILE, empty),
    (WEIGHTS_FILE, a_list),
    (WEIGHTS_FILE, single_array),
    (WEIGHTS_FILE, cut_short),
    (WEIGHTS_FILE, changed_inside),
    (WEIGHTS_FILE, pickled),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_missing_or_damaged_head_is_told_with_the_way_out(
    name: str, damage: Callable[[Path], object], tmp_path: Path
) -> None:
    write_head(tmp_path, head())
    damage(tmp_path / name)
    with pytest.raises(UserError, match=r"holds no readable head (?s:.*)dvc repro") as refusal:
        read_head(tmp_path)
    assert str(tmp_path) in str(refusal.value)


EDITS: dict[str, tuple[object, str]] = {  # a key of head.json, and what is said of it
    "classes": (["cat", "bee", "ant"], "classes: expected names, each once, in order"),
    "activation": ("relu", "head.json.activation: Input should be 'sigmoid' or 'softmax'"),
    "pooling": ("mean", "head.json.pooling: Input should be 'none', 'avg' or 'max'"),
    "feature_scale": (0.0, "head.json.feature_scale: Input should be greater than 0"),
    "epochs": ("7", "head.json.epochs: Input should be a valid integer"),
    "more": (1, "head.json.more: Extra inputs are not permitted"),
}


@pytest.mark.parametrize("key", EDITS)
def test_a_description_that_was_edited_is_refused(key: str, tmp_path: Path) -> None:
    value, complaint = EDITS[key]
    write_head(tmp_path, head())
    path = tmp_path / DESCRIPTION_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UserError) as caught:
        read_head(tmp_path)
    assert complaint in str(caught.value)
    assert "`dvc repro --force train-head` trains it again." in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    kernel, bias = dense_arrays(6, 3)
    write_head(tmp_path, head(weights=[kernel, np.full_like(bias, value)]))
    with pytest.raises(UserError, match="holds weights that are no finite numbers of 32 bits"):
        read_head(tmp_path)
    write_head(tmp_path, head(weights=[kernel.astype(np.float64), bias]))
    with pytest.raises(UserError, match="holds weights that are no finite numbers of 32 bits"):
        read_head(tmp_path)


def test_layers_that_do_not_fit_together_are_told(tmp_path: Path) -> None:
    write_head(tmp_path, head(weights=[*dense_arrays(6, 4), *dense_arrays(5, 3)]))
    with pytest.raises(UserError, match=r"\(6, 4\), \(4,\), \(5, 3\), \(3,\)\] are no head for"):
        read_head(tmp_path)


@pytest.mark.parametrize(
    "weights", [[], dense_arrays(6, 3)[:1], dense_arrays(6, 2)], ids=["none", "no bias", "other classes"]
)
def test_weights_that_give_no_logit_a_class_are_told(weights: Arrays, tmp_path: Path) -> None:
    write_head(tmp_path, head()._replace(weights=weights))
    with pytest.raises(UserError):
        read_head(tmp_path)
