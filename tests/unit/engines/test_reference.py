"""A compiled network that gives something else than the network means is not used."""

import numpy as np
import pytest

from onepass.core import UserError
from onepass.engines import Forward, check_forward, image_to_check


def forward(error: float) -> Forward:
    """The sum of an image's pixels and their mean, the latter wrong by a share."""
    return Forward(
        lambda pixels: np.stack([pixels.mean(axis=(1, 2, 3)), pixels.mean(axis=(1, 2, 3)) * (1 + error)], axis=1), 1
    )


IMAGE = image_to_check((6, 9, 3))
EXPECTED = forward(0)(IMAGE)


@pytest.mark.parametrize(("error", "bfloat16"), [(0, False), (9e-4, False), (0.2, True)])
def test_what_is_as_near_as_the_precision_allows_is_used(error: float, bfloat16: bool) -> None:
    check_forward(forward(error), 4, IMAGE, EXPECTED, "openvino", bfloat16)


@pytest.mark.parametrize(("error", "bfloat16"), [(2e-3, False), (-0.5, False), (0.5, True), (np.nan, False)])
def test_what_is_not_is_refused_with_the_difference(error: float, bfloat16: bool) -> None:
    with pytest.raises(UserError, match=r"openvino computes other features .* differ by \S+ of their length"):
        check_forward(forward(error), 4, IMAGE, EXPECTED, "openvino", bfloat16)


def test_a_feature_that_rounding_moves_far_is_no_sign_of_another_network() -> None:
    features = np.random.default_rng(0).normal(size=(1, 1000)).astype(np.float32)
    moved = features.copy()
    moved[0, features.argmax()] *= 0.6
    check_forward(Forward(lambda _: moved, 1), 4, IMAGE, features, "openvino", bfloat16=True)
    with pytest.raises(UserError, match="computes other features"):
        check_forward(Forward(lambda _: moved, 1), 4, IMAGE, features, "openvino", bfloat16=False)
    with pytest.raises(UserError, match="computes other features"):
        check_forward(Forward(lambda _: features[:, ::-1], 1), 4, IMAGE, features, "openvino", bfloat16=True)


def test_what_no_network_can_tell_is_left_to_others() -> None:
    check_forward(forward(0.5), 4, IMAGE, np.full_like(EXPECTED, np.nan), "openvino", False)


def test_the_image_is_the_same_each_time_and_no_plane() -> None:
    assert (image_to_check((6, 9, 3)) == IMAGE).all()
    assert IMAGE.shape == (1, 6, 9, 3)
    assert np.ptp(IMAGE, axis=(1, 2)).min() > 100
