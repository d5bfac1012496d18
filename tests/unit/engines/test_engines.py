"""Whatever computes them, the features of an image depend on nothing but the image and the fingerprint."""

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.backbones import Backbone, build_application
from onepass.core import UserError
from onepass.engines import Forward, engine, find_engine, library_version
from onepass.features import fingerprint
from onepass.features.versions import environment
from tests import builders

SIDE = 64
WAYS = [(runtime, precision) for runtime in ("tensorflow", "openvino") for precision in ("float32", "bfloat16")]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(0)
    path: Path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    build_application("MobileNet", SIDE).save_weights(path)
    return path


def backbone(weights: Path, runtime: str, precision: str) -> Backbone:
    given: dict[str, Any] = {"name": "MobileNet", "image_side": SIDE, "layer": "conv_pw_3_relu"}
    given |= {"weights": str(weights), "preprocess": "native", "precision": precision, "runtime": runtime}
    return builders.backbone(**given)


def forward(weights: Path, runtime: str, precision: str, batch: int = 8) -> Forward:
    return backbone(weights, runtime, precision).load().forward(batch)


def photos(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(256, size=(count, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.mark.parametrize(("runtime", "precision"), WAYS)
def test_features_depend_neither_on_place_nor_neighbours_nor_threads(
    runtime: str, precision: str, weights: Path
) -> None:
    call = forward(weights, runtime, precision)
    batches = [photos(8, seed=place + 1) for place in range(8)]
    for place, batch in enumerate(batches):
        batch[place] = photos(1)[0]
    with ThreadPoolExecutor(2) as threads:
        found = [features[place] for place, features in enumerate(threads.map(call.call, batches))]
    alone = np.zeros_like(batches[0])
    alone[0] = photos(1)[0]
    found.append(call(alone)[0])
    assert np.ptp(found[0]) > 0
    for row in found[1:]:
        np.testing.assert_array_equal(row, found[0])


def test_both_runtimes_compute_the_same_network(weights: Path) -> None:
    ours, other = (forward(weights, runtime, "float32")(photos(8)) for runtime in ("tensorflow", "openvino"))
    assert ours.dtype == other.dtype == np.float32
    np.testing.assert_allclose(other, ours, atol=1e-4 * np.abs(ours).max())


@pytest.mark.parametrize("runtime", ["tensorflow", "openvino"])
def test_bfloat16_is_near_float32_but_rounded(runtime: str, weights: Path) -> None:
    exact, rounded = (forward(weights, runtime, precision)(photos(8)) for precision in ("float32", "bfloat16"))
    error = np.abs(exact - rounded).mean() / np.abs(exact).mean()
    assert 1e-4 < error < 0.1


def test_bfloat16_of_one_network_rounds_no_other(weights: Path) -> None:
    from onepass.tensorflow import as_constants, keras, tf

    network = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(8, 3)])
    other = tf.function(lambda pixels: network(tf.cast(pixels, tf.float32)))
    traced = other.get_concrete_function(tf.TensorSpec((8, SIDE, SIDE, 3), tf.uint8))
    before = as_constants(traced)(tf.constant(photos(8)))[0].numpy()
    rounded = forward(weights, "tensorflow", "bfloat16")
    features = rounded(photos(8))
    np.testing.assert_array_equal(as_constants(traced)(tf.constant(photos(8)))[0].numpy(), before)
    np.testing.assert_array_equal(rounded(photos(8)), features)


def test_runtimes_never_share_a_fingerprint(weights: Path) -> None:
    ways = [fingerprint(backbone(weights, *way), "") for way in WAYS]
    assert all(one != other for place, one in enumerate(ways) for other in ways[:place])


def test_an_upgrade_changes_no_fingerprint_and_is_another_environment(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = [backbone(weights, *way) for way in WAYS]
    before = [(fingerprint(network, ""), environment(network)) for network in networks]
    assert {*before[0][1]} == {"processor", "pillow", "keras", "tensorflow"}
    assert {*before[-1][1]} == {"processor", "pillow", "keras", "tensorflow", "openvino"}
    monkeypatch.setattr(engine, "version", lambda _: "100.0")
    for network, (meaning, versions) in zip(networks, before, strict=True):
        assert fingerprint(network, "") == meaning
        assert environment(network) == {**dict.fromkeys(versions, "100.0"), "processor": versions["processor"]}


def test_storage_is_part_of_what_features_mean_and_the_rule_for_versions_is_not(weights: Path) -> None:
    given = {"name": "MobileNet", "weights": str(weights), "preprocess": "native"}
    meanings = [
        fingerprint(builders.backbone(**given, storage=storage, versions=rule), "")
        for storage in ("float32", "float16")
        for rule in ("close", "exact", "renew")
    ]
    assert meanings[0] == meanings[1] == meanings[2] != meanings[3] == meanings[4] == meanings[5]


def test_a_runtime_that_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(engine, "version", missing)
    with pytest.raises(UserError, match=r"openvino given, which is not installed here.*backbone.runtime: tensorflow"):
        library_version("openvino")


def test_a_network_that_openvino_cannot_run_is_refused_with_the_engine_that_can() -> None:
    from onepass.tensorflow import tf

    reversed_text = tf.function(lambda pixels: tf.strings.length(tf.strings.as_string(pixels)))
    traced = reversed_text.get_concrete_function(tf.TensorSpec((8, SIDE, SIDE, 3), tf.uint8))
    with pytest.raises(UserError, match=r"openvino given, which cannot run this network.*use backbone.runtime: tens"):
        find_engine("openvino").compile(traced, (8, SIDE, SIDE, 3), False)


def test_bfloat16_is_refused_where_openvino_would_compute_in_float32(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    monkeypatch.setattr(openvino.Core, "get_property", lambda *_: ["FP32"])
    with pytest.raises(UserError, match="bfloat16 given, which OpenVINO does not have on this processor"):
        forward(weights, "openvino", "bfloat16")
