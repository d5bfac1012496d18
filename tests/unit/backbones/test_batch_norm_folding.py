"""Folding batch normalisation changes no feature, and leaves nothing to multiply where it can be folded."""

from typing import Any

import numpy as np
import pytest

SIDE = 8


def network(seed: int = 0) -> Any:
    """Every way in which a normalisation may stand behind a convolution, with statistics as training leaves them."""
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    photos = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 3, use_bias=False)(photos)
    x = layers.ReLU()(layers.BatchNormalization(name="plain")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(name="depthwise")(x))
    x = layers.Conv2D(4, 1, groups=2)(x)
    x = layers.BatchNormalization(scale=False, name="with_bias")(x)
    x = layers.BatchNormalization(center=False, name="uncentred")(layers.Conv2D(4, 1)(x))
    x = layers.BatchNormalization(name="behind_activation")(layers.Conv2D(4, 1, activation="relu")(x))
    shared = layers.Conv2D(4, 1)(x)
    x = layers.Add()([shared, layers.BatchNormalization(name="beside_another")(shared)])
    model = keras.Model(photos, x)
    random = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([random.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.mark.parametrize("seed", range(3))
def test_a_folded_network_gives_the_same_features(seed: int) -> None:
    from onepass.backbones.batch_norm_folding import fold_batch_norms

    model = network(seed)
    photos = np.random.default_rng(1).normal(size=(4, SIDE, SIDE, 3)).astype(np.float32)
    wanted = np.asarray(model(photos, training=False))
    fold_batch_norms(model)
    found = np.asarray(model(photos, training=False))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def test_a_convolution_whose_output_is_wanted_is_not_folded() -> None:
    from onepass.backbones.batch_norm_folding import fold_batch_norms
    from onepass.tensorflow import keras

    whole = network()
    cut = keras.Model(whole.inputs, [whole.get_layer("plain").input, whole.output])
    photos = np.random.default_rng(1).normal(size=(4, SIDE, SIDE, 3)).astype(np.float32)
    wanted = [np.asarray(given) for given in cut(photos, training=False)]
    fold_batch_norms(cut)
    for found, expected in zip(cut(photos, training=False), wanted, strict=True):
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_what_is_folded_multiplies_by_one_and_the_rest_as_before() -> None:
    from onepass.backbones.batch_norm_folding import fold_batch_norms
    from onepass.tensorflow import keras, tf

    model = network()
    fold_batch_norms(model)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    factors = {norm.name: tf.math.rsqrt(norm.moving_variance + norm.epsilon) for norm in norms}
    factors |= {norm.name: factors[norm.name] * norm.gamma for norm in norms if norm.scale}
    # On some processors TensorFlow's reciprocal root of 1 is one unit in the last place off.
    ones = {name: bool((np.abs(np.asarray(factor) - 1) <= 2.0**-23).all()) for name, factor in factors.items()}
    folded = {"plain", "depthwise", "with_bias", "uncentred"}
    assert {name for name, one in ones.items() if one} == folded
    assert set(ones) - folded == {"behind_activation", "beside_another"}
