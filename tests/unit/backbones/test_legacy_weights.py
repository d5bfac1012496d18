"""Weights files older than Keras 3: the same features as the network they were made from, or a refusal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import convolve

from onepass.backbones import build_application
from onepass.core import UserError
from tests.builders import backbone
from tests.unit.backbones.old_weights import add_top, write_by_name, write_by_number

SIDE = 48


@pytest.fixture(scope="module")
def vgg16() -> Any:
    return randomized("VGG16")


def randomized(name: str) -> Any:
    """A network of keras.applications whose every weight, also each bias and variance, is a number of its own."""
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(0)
    network, random = build_application(name, SIDE), np.random.default_rng(0)
    for variable in network.weights:
        if len(variable.shape) == 1:
            variable.assign(random.uniform(0.1, 0.9, variable.shape))
    return network


def features(path: Path, name: str, layer: str) -> NDArray[np.float32]:
    """Of the photos, from the weights in a file."""
    given = {"name": name, "weights": str(path), "image_side": SIDE, "layer": layer, "preprocess": "rescale"}
    return backbone(**given).load().forward(2)(photos())


def photos() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(256, size=(2, SIDE, SIDE, 3), dtype=np.uint8)


def expected(network: Any, layer: str) -> NDArray[np.float32]:
    """Of the photos, from the network itself."""
    from onepass.tensorflow import keras

    cut = keras.Model(network.inputs, network.get_layer(layer).output)
    return np.asarray(cut(photos().astype(np.float32) / 255, training=False))


def assert_same(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    assert np.ptp(wanted) > 0
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("counts", [True, False], ids=["counted", "without nb_layers"])
def test_the_oldest_format_gives_the_features_of_the_network_it_was_made_from(
    counts: bool, vgg16: Any, tmp_path: Path
) -> None:
    write_by_number(tmp_path / "vgg16_weights.h5", vgg16, counts)
    found = features(tmp_path / "vgg16_weights.h5", "VGG16", "block5_pool")
    assert_same(found, expected(vgg16, "block5_pool"))


def test_kernels_of_the_oldest_format_are_convolved_as_mathematics_does(vgg16: Any, tmp_path: Path) -> None:
    path = tmp_path / "any name.h5"
    write_by_number(path, vgg16)
    with h5py.File(path) as file:
        # Of the sixth filter; its kernel is (in, rows, columns).
        kernel, bias = file["layer_1/param_0"][5], file["layer_1/param_1"][5]
    pixels = photos()[0].astype(np.float32) / 255
    by_hand = sum(convolve(pixels[..., channel], kernel[channel], mode="same") for channel in range(3)) + bias
    assert_same(features(path, "VGG16", "block1_conv1")[0, ..., 5], np.maximum(by_hand, 0))


@pytest.mark.parametrize("inside", ["/", "model_weights"], ids=["weights alone", "whole model"])
@pytest.mark.parametrize("top", [False, True], ids=["without top", "with top"])
def test_files_of_keras_1_and_2_give_the_features_of_their_network(inside: str, top: bool, tmp_path: Path) -> None:
    network, path = randomized("MobileNet"), tmp_path / "mobilenet_1_0_224_tf.h5"
    write_by_name(path, network, inside)
    if top and inside == "/":
        add_top(path)
    assert_same(features(path, "MobileNet", "conv_pw_6_relu"), expected(network, "conv_pw_6_relu"))


def test_layers_under_other_names_are_matched_by_order_and_long_lists_joined(vgg16: Any, tmp_path: Path) -> None:
    write_by_name(tmp_path / "renamed.h5", vgg16)
    with h5py.File(tmp_path / "renamed.h5", "r+") as file:
        names = list(file.attrs["layer_names"])
        for number, name in enumerate(names):
            file.move(name, f"layer_{number}")  # not the oldest format: it has layer_names
        renamed = [f"layer_{number}" for number in range(len(names))]
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = renamed[:7], renamed[7:]
    assert_same(features(tmp_path / "renamed.h5", "VGG16", "block2_pool"), expected(vgg16, "block2_pool"))


def turned(file: Any) -> None:
    kernel = file["layer_1/param_0"][()]
    del file["layer_1/param_0"]
    file["layer_1/param_0"] = kernel.transpose(2, 3, 1, 0)


def cut_short(file: Any) -> None:
    for number in range(11, 36):
        file.pop(f"layer_{number}", None)
    file.attrs["nb_layers"] = 11


def replaced(name: str, value: Any) -> Callable[[Any], None]:
    """A change to a file: another thing in the place of one of its members."""

    def change(file: Any) -> None:
        del file[name]
        file[name] = value

    return change


def bomb(file: Any) -> None:
    del file["layer_1/param_0"]
    file.create_dataset("layer_1/param_0", (1 << 20, 1 << 20, 1 << 20), "f4", chunks=(64, 64, 64), compression="gzip")


def chunked(file: Any) -> None:
    del file["layer_1/param_1"]
    file.create_dataset("layer_1/param_1", (64,), "f4", maxshape=(None,), chunks=(1 << 24,), compression="gzip")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            turned,
            r"layer block1_conv1: expected the shapes \[\(64, 3, 3, 3\), .*found \[\(3, 3, 3, 64\), .* in layer_1",
        ),
        (cut_short, "layer block3_conv1: expected weights, found none: the file has 4 layers with weights"),
        (
            lambda file: file.pop("layer_12"),
            r"expected 35 members layer_0, layer_1, .*found 34, the last of them layer_34",
        ),
        (lambda file: file["layer_1"].pop("param_1"), "layer_1: expected 2 members param_0"),
        (
            replaced("layer_1/param_1", np.full(64, np.nan)),
            "block1_conv1: /layer_1/param_1 has values that are not fin",
        ),
        (replaced("layer_1/param_1", ["text"] * 64), "layer_1/param_1: expected numbers, found object"),
        (replaced("layer_1", np.ones(3)), "layer_1 in /: expected a Group, found a Dataset"),
        (lambda file: file.attrs.create("nb_layers", [1, 2]), "without its top: only 0-dim"),
        (
            lambda file: file.attrs.create("layer_names", [1, 2]),
            "expected a list of names as its attribute layer_names",
        ),
        (lambda file: file.attrs.create("layer_names", ["a", "a"]), "names a layer twice"),
        (lambda file: file.attrs.create("layer_names", ["a/b"]), "/ should have a member a/b, and has none"),
        (
            lambda file: file.move("layer_0", "layer_zero"),
            r"found the groups \['layer_1', .* the attributes \['nb_layers'\]",
        ),
        (
            lambda file: file.create_group("layers") and file.pop("layer_0"),
            r"only under a name that ends in \.weights\.h5",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_refused_in_words(
    change: Callable[[Any], None], message: str, vgg16: Any, tmp_path: Path
) -> None:
    path = tmp_path / "vgg16_weights.h5"
    write_by_number(path, vgg16)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(UserError, match=f"^backbone.weights: {path} does not fit VGG16 (?s:.*){message}"):
        features(path, "VGG16", "block1_conv1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced("layer_1/param_1", h5py.ExternalLink("b.h5", "/x")), "param_1 in /layer_1 is a link to elsewhere"),
        (replaced("layer_1/param_1", h5py.SoftLink("/layer_3/param_1")), "param_1 in /layer_1 is a link to elsewhere"),
        (bomb, r"its arrays claim more than [0-9,]+ bytes, too many for a file of its size"),
        (chunked, r"layer_1/param_1: its chunks of \(16777216,\) are larger than itself"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_does_harm_is_refused_before_it_is_read(
    change: Callable[[Any], None], message: str, vgg16: Any, tmp_path: Path
) -> None:
    path = tmp_path / "vgg16_weights.h5"
    write_by_number(path, vgg16)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(UserError, match=f"^backbone.weights: {path} is not read: (?s:.*){message}"):
        features(path, "VGG16", "block1_conv1")


def test_weights_of_a_larger_network_with_all_layers_of_the_smaller_are_refused(tmp_path: Path) -> None:
    write_by_name(tmp_path / "vgg19.h5", randomized("VGG19"))
    with pytest.raises(UserError, match="the file has the layer block3_conv4, which the network has not"):
        features(tmp_path / "vgg19.h5", "VGG16", "block1_conv1")


def test_kernels_that_theano_wrote_in_the_newer_format_are_refused(vgg16: Any, tmp_path: Path) -> None:
    write_by_name(tmp_path / "th.h5", vgg16)
    with h5py.File(tmp_path / "th.h5", "r+") as file:
        file.attrs["backend"] = b"theano"
    with pytest.raises(
        UserError, match="wrote it with Theano, which turns kernels; give the file made with TensorFlow"
    ):
        features(tmp_path / "th.h5", "VGG16", "block1_conv1")


def test_published_weights_that_go_with_another_scale_of_the_input_are_refused(tmp_path: Path) -> None:
    write_by_name(tmp_path / "b0.h5", randomized("EfficientNetB0"))
    with pytest.raises(UserError, match=r"Keras scales the input once more.* give data/imagenet/<backbone\.name>"):
        features(tmp_path / "b0.h5", "EfficientNetB0", "last")


def test_layers_whose_weights_meant_something_else_in_the_oldest_format_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file["layer_0/param_0"] = np.ones((32, 3, 3, 3))
        for number in range(1, 60):
            file[f"layer_{number}/param_0"] = np.ones(32)
    with pytest.raises(UserError, match="layer conv1_bn is a BatchNormalization; of a file of Keras 0 only Conv2D"):
        features(tmp_path / "old.h5", "MobileNet", "last")


def test_an_attribute_larger_than_keras_writes_is_not_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w", libver="latest") as file:
        file.attrs["layer_names"] = ["a"] * 10_000
    with pytest.raises(UserError, match="its attribute layer_names claims 80,000 bytes; allowed: 65,536"):
        features(tmp_path / "w.h5", "MobileNet", "last")
