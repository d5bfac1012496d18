"""Cuts to try are few, from the deepest down, and where somebody would cut by hand."""

import pytest

from onepass.backbones import build_application
from onepass.backbones.cut_points import cuts_to_try
from onepass.tensorflow import keras


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MobileNet", ["conv_pw_13_relu", "conv_pw_12_relu", "conv_pw_11_relu", "conv_dw_10_relu"]),
        ("VGG16", ["block5_pool", "block5_conv2", "block5_conv1", "block4_conv3"]),
        ("ResNet50", ["conv5_block3_out", "conv5_block1_out", "conv4_block6_out", "conv4_block4_out"]),
    ],
)
def test_well_known_networks_are_cut_where_they_widen_or_their_blocks_end(name: str, expected: list[str]) -> None:
    assert cuts_to_try(build_application(name, 96)) == expected


def test_a_network_without_maps_has_none() -> None:
    layers = keras.layers
    assert cuts_to_try(keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(4)])) == []
