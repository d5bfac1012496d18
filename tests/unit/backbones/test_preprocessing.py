"""From 0..255 pixels to the numbers that a network was trained on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.backbones import MODES, preprocess


@pytest.fixture
def pixels() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 255, (3, 6, 5, 3)).astype(np.float32)


@pytest.mark.parametrize("mode", MODES)
def test_numpy_and_tensorflow_give_the_same_numbers(mode: str, pixels: NDArray[np.float32]) -> None:
    from onepass.tensorflow import tf

    found = preprocess(tf.constant(pixels), MODES[mode]).numpy()
    np.testing.assert_allclose(found, preprocess(pixels, MODES[mode]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_shape_and_type_stay(mode: str, pixels: NDArray[np.float32]) -> None:
    found = preprocess(pixels, MODES[mode])
    assert (found.shape, found.dtype) == (pixels.shape, pixels.dtype)


@pytest.mark.parametrize("mode", MODES)
def test_given_pixels_are_not_changed(mode: str, pixels: NDArray[np.float32]) -> None:
    before = pixels.copy()
    preprocess(pixels, MODES[mode])
    np.testing.assert_array_equal(pixels, before)


def test_none_leaves_pixels_as_they_are(pixels: NDArray[np.float32]) -> None:
    np.testing.assert_array_equal(preprocess(pixels, MODES["none"]), pixels)


def test_rescale_divides_by_255(pixels: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(preprocess(pixels, MODES["rescale"]), pixels / 255, rtol=1e-6)


def test_tf_goes_from_minus_one_to_one() -> None:
    pixels = np.array([[0, 127.5, 255]], np.float32)
    np.testing.assert_allclose(preprocess(pixels, MODES["tf"]), [[-1, 0, 1]], atol=1e-6)


def test_torch_subtracts_the_means_and_divides_by_the_deviations_of_imagenet() -> None:
    white = np.full((1, 3), 255, np.float32)
    expected = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(preprocess(white, MODES["torch"])[0], expected, rtol=1e-5)


def test_caffe_flips_channels_and_subtracts_the_means() -> None:
    red = np.array([[200, 0, 10]], np.float32)  # RGB
    np.testing.assert_allclose(preprocess(red, MODES["caffe"]), [[10 - 103.939, -116.779, 200 - 123.68]], atol=1e-4)
