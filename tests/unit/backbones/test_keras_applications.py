"""The table of networks says what Keras itself does."""

import inspect
import re
from typing import Any, NoReturn

import numpy as np
import pytest

from onepass.backbones import APPLICATIONS, MODES, build_application, preprocess

NAMES = sorted(APPLICATIONS)
SMALLEST_OF_A_MODULE = [
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "VGG19",
    "Xception",
]


class Shape(Exception):  # noqa: N818 - no error: it ends the construction of a network early
    """The input shape that a network of Keras settled on."""


def constructor(name: str) -> Any:
    from onepass.tensorflow import keras

    return getattr(keras.applications, name)


@pytest.fixture
def stop_at_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of Keras gives its input shape by ``Shape`` and builds no layer, which would cost seconds."""
    from onepass.tensorflow import keras

    def stop(shape: tuple[int | None, ...]) -> NoReturn:
        raise Shape(shape)

    monkeypatch.setattr(keras.src.layers, "Input", stop)


def test_table_holds_all_networks_of_keras_and_no_other() -> None:
    from onepass.tensorflow import keras

    networks = [name for name, member in vars(keras.applications).items() if inspect.isfunction(member)]
    assert sorted(networks) == NAMES


def test_every_module_of_keras_is_built_in_these_tests() -> None:
    assert [APPLICATIONS[name].module for name in SMALLEST_OF_A_MODULE] == sorted(
        {application.module for application in APPLICATIONS.values()}
    )


@pytest.mark.parametrize("name", NAMES)
def test_preprocessing_is_that_of_the_networks_module(name: str) -> None:
    from onepass.tensorflow import keras

    application = APPLICATIONS[name]
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype(np.float32)
    expected = getattr(keras.applications, application.module).preprocess_input(pixels.copy())
    np.testing.assert_allclose(preprocess(pixels, MODES[application.preprocess]), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("stop_at_input")
@pytest.mark.parametrize("name", [name for name in NAMES if "MobileNetV3" not in name])
def test_image_side_is_the_default_of_keras(name: str) -> None:
    side = APPLICATIONS[name].image_side
    with pytest.raises(Shape, match=re.escape(f"({side}, {side}, 3)")):
        constructor(name)(weights=None, include_top=True)


@pytest.mark.usefixtures("stop_at_input")
@pytest.mark.parametrize("name", [name for name in NAMES if "MobileNetV3" in name])
def test_image_side_of_mobilenet_v3_is_that_of_its_imagenet_weights(name: str) -> None:
    side = APPLICATIONS[name].image_side  # these have no default: Keras only tells it in a warning
    with pytest.warns(UserWarning, match=re.escape(f"Weights for input shape ({side}, {side})")), pytest.raises(Shape):
        constructor(name)(weights="imagenet", include_top=False)


@pytest.mark.usefixtures("stop_at_input")
@pytest.mark.parametrize("name", NAMES)
def test_keras_takes_the_smallest_side_and_none_below(name: str) -> None:
    side = APPLICATIONS[name].smallest_side
    with pytest.raises(Shape, match=re.escape(f"({side}, {side}, 3)")):
        build_application(name, side)
    with pytest.raises(ValueError, match=f"at least {side}x{side}"):
        build_application(name, side - 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST_OF_A_MODULE)
def test_network_can_be_built_at_its_smallest_side(name: str) -> None:
    side = APPLICATIONS[name].smallest_side
    network = build_application(name, side)
    assert network.input_shape == (None, side, side, 3)
    assert all(length >= 1 for length in network.output_shape[1:])
