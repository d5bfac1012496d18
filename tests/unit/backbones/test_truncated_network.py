"""The frozen network: loaded, cut after a layer, and made into one compiled call."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.backbones import Network, build_application
from onepass.core import UserError
from tests.builders import SHARED, backbone

SIDE = 8
LAYERS = ["conv", "relu", "pool", "flat", "dense"]


def frozen(weights: Path, **changes: Any) -> Network:
    given = {"name": "custom", "image_side": SIDE, "layer": "pool", "preprocess": "tf"}
    return backbone(**{**given, "weights": str(weights), **changes}).load()


def tiny_network(seed: int = 0, ceiling: float | None = None, answers: int = 3) -> Any:
    from onepass.tensorflow import keras

    keras.utils.clear_session()  # names of layers are counted from the start, as in a process of its own
    keras.utils.set_random_seed(seed)
    layers = [
        keras.Input((SIDE, SIDE, 3)),
        keras.layers.Conv2D(4, 3, padding="same", name="conv"),
        keras.layers.ReLU(ceiling, name="relu"),
        keras.layers.MaxPooling2D(2, name="pool"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(answers, name="dense"),
    ]
    return keras.Sequential(layers)


@pytest.fixture
def network() -> Any:
    return tiny_network()


@pytest.fixture
def weights(network: Any, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.keras"
    network.save(path)
    return path


def photos(count: int, side: int = SIDE, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(256, size=(count, side, side, 3), dtype=np.uint8)


def expected(network: Any, layer: str, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What Keras itself gives for photos at a layer, with the preprocessing ``tf``."""
    from onepass.tensorflow import keras

    prepared = keras.applications.imagenet_utils.preprocess_input(pixels.astype(np.float32), mode="tf")
    return np.asarray(keras.Model(network.inputs, network.get_layer(layer).output)(prepared, training=False))


@pytest.mark.parametrize("layer", LAYERS)
def test_features_are_the_output_of_the_layer_in_keras(layer: str, network: Any, weights: Path) -> None:
    found = frozen(weights, layer=layer).forward(4)(photos(4))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(network, layer, photos(4)), rtol=1e-5, atol=1e-5)


def test_last_is_the_output_of_the_network(network: Any, weights: Path) -> None:
    found = frozen(weights, layer="last").forward(2)(photos(2))
    np.testing.assert_allclose(found, expected(network, "dense", photos(2)), rtol=1e-5, atol=1e-5)


def test_several_layers_stand_side_by_side_in_the_order_given(network: Any, weights: Path) -> None:
    found = frozen(weights, layer=["pool", "conv"], pooling="max")
    maps = [expected(network, layer, photos(4)).max(axis=(1, 2)) for layer in ("pool", "conv")]
    np.testing.assert_allclose(found.forward(4)(photos(4)), np.concatenate(maps, axis=1), rtol=1e-5, atol=1e-5)
    assert found.feature_shape().shape == [8]
    values = frozen(weights, layer=["flat", "last"])
    wanted = np.concatenate([expected(network, layer, photos(4)) for layer in ("flat", "dense")], axis=1)
    np.testing.assert_allclose(values.forward(4)(photos(4)), wanted, rtol=1e-5, atol=1e-5)
    assert values.feature_shape().shape == [wanted.shape[1]]


@pytest.mark.parametrize(("pooling", "layers"), [("none", ["pool", "flat"]), ("avg", ["pool", "flat"])])
def test_layers_that_do_not_go_together_are_refused(pooling: str, layers: list[str], weights: Path) -> None:
    with pytest.raises(UserError, match=f"backbone.pooling: {pooling} given, but layer '.*; allowed: "):
        frozen(weights, layer=layers, pooling=pooling)


@pytest.mark.parametrize(("pooling", "reduce"), [("avg", np.mean), ("max", np.max)])
def test_pooling_keeps_one_value_a_channel(
    pooling: str, reduce: Callable[..., NDArray[np.float32]], network: Any, weights: Path
) -> None:
    found = frozen(weights, layer="conv", pooling=pooling).forward(3)(photos(3))
    maps = expected(network, "conv", photos(3))
    np.testing.assert_allclose(found, reduce(maps, axis=(1, 2)), rtol=1e-5, atol=1e-5)


def test_the_feature_shape_is_that_of_a_row(weights: Path) -> None:
    assert frozen(weights).feature_shape()[1:] == ("float32", [SIDE // 2, SIDE // 2, 4])
    assert frozen(weights, pooling="avg").feature_shape()[1:] == ("float32", [4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer": "pol"}, "backbone.layer: 'pol' given, (?s:.*)most alike are: pool, .*Also allowed: last, input"),
        (
            {"layer": "dense", "pooling": "avg"},
            r"backbone.pooling: avg given, but layer 'dense' gives the shape \(3,\)",
        ),
        ({"image_side": 9}, r"backbone.image_side: 9 given; .*tiny\.keras takes 8 by 8 pixels"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(changes: dict[str, Any], message: str, weights: Path) -> None:
    with pytest.raises(UserError, match=message):
        frozen(weights, **changes)


@pytest.mark.parametrize("content", [b"", b"no network", b"PK\x03\x04 no archive"])
@pytest.mark.parametrize("name", ["custom", "MobileNet"])
def test_a_file_without_a_network_is_refused_by_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / ("broken.keras" if name == "custom" else "broken.weights.h5")
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"backbone.weights: .*{path.name}"):
        frozen(path, name=name, image_side=32)


def test_a_keras_file_that_is_cut_short_is_refused_by_name(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"backbone.weights: .*tiny\.keras"):
        frozen(weights)


def test_python_code_inside_a_keras_file_is_refused_and_not_run(tmp_path: Path) -> None:
    from onepass.tensorflow import keras

    trace, path = str(tmp_path / "it-ran"), tmp_path / "lambda.keras"
    spy = keras.layers.Lambda(lambda x: [x, __import__("os").makedirs(trace, exist_ok=True)][0])
    keras.Sequential([keras.Input((SIDE, SIDE, 3)), spy, keras.layers.Flatten(name="pool")]).save(path)
    Path(trace).rmdir()
    with pytest.raises(UserError, match=r"backbone.weights: .*lambda\.keras cannot be loaded"):
        frozen(path)
    assert not Path(trace).exists()
    keras.saving.load_model(path, safe_mode=False)
    assert Path(trace).exists(), "this file runs no code even where that is allowed: the test shows nothing"


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    build_application("MobileNetV2", 32).save_weights(path)
    with pytest.raises(UserError, match=r"other\.weights\.h5 does not fit MobileNet without its top"):
        frozen(path, name="MobileNet", image_side=32, preprocess="native")


def changed(network: Any, layer: str) -> Any:
    kernel, bias = network.get_layer(layer).get_weights()
    kernel.flat[0] += 1e-3
    network.get_layer(layer).set_weights([kernel, bias])
    return network


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda network: network, True),
        (lambda _network: tiny_network(), True),  # its layers are new objects, its numbers the same
        (lambda network: changed(network, "dense"), True),
        (lambda _network: tiny_network(answers=5), True),
        (lambda network: changed(network, "conv"), False),
        (lambda _network: tiny_network(seed=1), False),
        (lambda _network: tiny_network(ceiling=6), False),  # the same weights, but other features
    ],
    ids=["saved twice", "made again", "above: weight", "above: layer", "weight", "all weights", "layer"],
)
def test_digest_tells_the_network_below_the_cut(
    change: Callable[[Any], Any], same: bool, network: Any, weights: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.keras"
    change(network).save(again)
    assert (frozen(weights).feature_shape().network == frozen(again).feature_shape().network) is same


@pytest.mark.shared
@pytest.mark.parametrize(
    ("reference", "layer", "weights_name", "name", "preprocess"),
    [
        *(
            ("mobilenet_150.npz", layer, "mobilenet_1_0_224_notop.weights.h5", "MobileNet", "native")
            for layer in ("conv_pw_6_relu", "conv_pw_11_relu", "conv_pw_12_relu")
        ),
        ("squeezenet_150.npz", "fire9_concat", "squeezenet_1_1.keras", "custom", "caffe"),
    ],
)
def test_features_of_real_photos_are_those_of_a_plain_script(
    reference: str, layer: str, weights_name: str, name: str, preprocess: str
) -> None:
    with np.load(SHARED / "reference" / reference) as arrays:
        pixels, wanted = arrays["images_uint8"], arrays[layer]
    path = SHARED / "weights" / weights_name
    network = frozen(path, name=name, image_side=150, layer=layer, preprocess=preprocess)
    found = network.forward(len(pixels))(pixels)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def test_last_is_the_output_of_a_network_that_ends_in_no_layer(tmp_path: Path) -> None:
    from onepass.tensorflow import keras

    pixels = keras.Input((SIDE, SIDE, 3))
    maps = keras.layers.Conv2D(3, 1, name="conv")(pixels)
    network = keras.Model(pixels, keras.ops.relu(maps) + 1.0)
    network.save(tmp_path / "network.keras")
    image = np.full((1, SIDE, SIDE, 3), 77, np.uint8)
    found = frozen(tmp_path / "network.keras", layer="last", preprocess="none").forward(1)(image)
    np.testing.assert_allclose(found, np.asarray(network(image.astype(np.float32))), rtol=1e-6)


def test_a_layer_that_is_used_twice_is_refused(tmp_path: Path) -> None:
    from onepass.tensorflow import keras

    pixels = keras.Input((SIDE, SIDE, 3))
    conv = keras.layers.Conv2D(3, 1, name="conv")
    keras.Model(pixels, conv(conv(pixels))).save(tmp_path / "network.keras")
    with pytest.raises(UserError, match="'conv' given, which has 2 outputs; allowed: one"):
        frozen(tmp_path / "network.keras", layer="conv")


def test_a_network_inside_another_is_cut_at_its_last_output(tmp_path: Path) -> None:
    from onepass.tensorflow import keras

    inner = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(3, 1)], name="inner")
    keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Rescaling(1 / 255), inner]).save(tmp_path / "n.keras")
    found = frozen(tmp_path / "n.keras", layer="last").forward(1)(np.zeros((1, SIDE, SIDE, 3), np.uint8))
    assert found.shape == (1, SIDE, SIDE, 3)


@pytest.mark.parametrize("side", [1, 4, 10])
def test_a_side_too_small_for_a_network_that_takes_any_is_refused(side: int, tmp_path: Path) -> None:
    from onepass.tensorflow import keras

    layers = [
        keras.Input((None, None, 3)),
        keras.layers.Conv2D(4, 3, name="first"),
        *(keras.layers.MaxPooling2D(2, name=f"pool{number}") for number in range(3)),
        keras.layers.Conv2D(4, 3, name="deep"),
    ]
    keras.Sequential(layers).save(tmp_path / "any.keras")
    with pytest.raises(UserError, match=f"image_side: {side} given, too small for .*any.keras up to layer 'deep': "):
        frozen(tmp_path / "any.keras", layer="deep", image_side=side)
    assert frozen(tmp_path / "any.keras", layer="deep", image_side=40).feature_shape().shape == [2, 2, 4]
