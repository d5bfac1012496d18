"""The interval of an accuracy equals scipy's and known values, and keeps its promises at both ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from onepass.statistics import LEVEL, wilson


@pytest.mark.parametrize("images", [*range(1, 41), 171, 800, 10_000, 1_000_000])
def test_wilson_equals_scipys_interval_of_a_binomial_test(images: int) -> None:
    for correct in sorted({*range(0, images + 1, max(1, images // 20)), 1, images - 1, images}):
        expected = binomtest(correct, images).proportion_ci(confidence_level=1 - LEVEL, method="wilson")
        assert wilson(correct / images, images) == pytest.approx((expected.low, expected.high), rel=0, abs=1e-12)


@pytest.mark.parametrize(
    ("correct", "images", "low", "high"),
    [
        (90, 100, 0.8256, 0.9448),
        (5, 10, 0.2366, 0.7634),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (0, 1, 0.0, 0.7935),
    ],
)
def test_wilson_has_the_known_bounds(correct: int, images: int, low: float, high: float) -> None:
    assert wilson(correct / images, images) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("images", [1, 2, 7, 30, 800])
def test_wilson_stays_within_0_and_1_and_holds_the_accuracy(images: int) -> None:
    for correct in range(images + 1):
        low, high = wilson(correct / images, images)
        assert 0 <= low <= correct / images <= high <= 1
        assert low < high


@given(st.floats(0, 1), st.integers(1, 10**9))
def test_a_mean_of_accuracies_lies_inside_and_wrong_answers_mirror_right_ones(accuracy: float, images: int) -> None:
    low, high = wilson(accuracy, images)
    assert 0 <= low <= accuracy <= high <= 1
    assert wilson(1 - accuracy, images) == pytest.approx((1 - high, 1 - low), rel=0, abs=1e-12)
