"""The statistics of a comparison equal known values and keep their promises for any answers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap

from onepass.statistics import bootstrap, holm, paired_test, sign_flip

P_VALUES = arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1))
FEW_GAINS = arrays(np.int64, st.integers(1, 10), elements=st.integers(-6, 6))


def answers(*rows: str) -> NDArray[np.bool_]:
    """A row a seed: + where an image is right."""
    return np.array([[answer == "+" for answer in row] for row in rows])


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (6, 0, 0.03125), (5, 1, 0.21875), (12, 3, 0.03515625), (10, 10, 1.0)],
)
def test_with_a_seed_each_the_test_is_mcnemars_exact_test(wins: int, losses: int, p: float) -> None:
    gains = np.repeat([1, -1, 0], [wins, losses, 50])
    assert sign_flip(gains) == pytest.approx(p, rel=1e-12)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_equals_scipys_binomial_test_of_the_discordant_images(wins: int, losses: int) -> None:
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_flip(np.repeat([1, -1], [wins, losses])) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(FEW_GAINS)
def test_the_permutation_test_equals_trying_all_signs(gains: NDArray[np.int64]) -> None:
    signs = np.array(list(product([-1, 1], repeat=len(gains))))
    assert sign_flip(gains) == pytest.approx((np.abs(signs @ gains) >= abs(gains.sum())).mean(), abs=1e-12)


@given(FEW_GAINS, st.integers(1, 9))
def test_the_permutation_test_knows_no_unit_no_side_and_no_order(gains: NDArray[np.int64], unit: int) -> None:
    p = sign_flip(gains)
    assert sign_flip(gains * unit) == pytest.approx(p)
    assert sign_flip(-gains[::-1]) == pytest.approx(p)


def test_equal_classifiers_are_called_different_no_more_often_than_promised() -> None:
    random = np.random.default_rng(0)
    shares = random.binomial(3, 0.8, (400, 100)) * 2 - random.binomial(2, 0.8, (400, 100)) * 3
    alarms = sum(sign_flip(gains) < 0.05 for gains in shares)
    assert alarms <= binomtest(20, 400).proportion_ci(0.99).high * 400


def test_each_image_weighs_the_share_of_seeds_that_are_right() -> None:
    found = paired_test(answers("++++", "+++-"), answers("+--+", "+-++", "+--+"))
    assert found.difference == pytest.approx((0 + 1 + 2 / 3 - 1 / 2) / 4)
    assert found.p == pytest.approx(4 / 8)  # gains of 1, 2/3 and -1/2: of 8 choices of signs, 4 give 7/6 or more


@given(arrays(np.bool_, (2, 40)))
def test_turning_a_comparison_round_turns_its_sign(both: NDArray[np.bool_]) -> None:
    first, second = both[:1], both[1:]
    there, back = paired_test(first, second), paired_test(second, first)
    assert back.difference == -there.difference
    assert back.p == pytest.approx(there.p)
    assert there.low <= there.difference <= there.high
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=0.06)  # other draws


def test_the_interval_agrees_with_scipys_bootstrap() -> None:
    gains = np.repeat([1.0, 0.0, -1.0], [40, 350, 10])
    expected = scipy_bootstrap((gains,), np.mean, method="percentile", rng=np.random.default_rng(1))
    assert bootstrap(gains) == pytest.approx(tuple(expected.confidence_interval), abs=0.003)


def test_the_interval_covers_the_truth_as_often_as_promised() -> None:
    random = np.random.default_rng(0)
    samples = random.choice([1.0, 0.0, -1.0], p=[0.15, 0.75, 0.10], size=(300, 400))
    covered = sum(low <= 0.05 <= high for low, high in map(bootstrap, samples))
    assert 0.91 <= covered / 300 <= 0.985


def test_the_interval_is_the_same_every_time() -> None:
    gains = np.repeat([0.5, 0.0, -1.0], [4, 35, 1])
    assert bootstrap(gains) == bootstrap(gains[::-1])


def test_holm_equals_the_correction_by_hand() -> None:
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])  # 0.01*3, max(0.06, 0.04*1), 0.03*2, 0.005*4


@given(P_VALUES)
def test_holm_keeps_the_order_and_lies_between_no_correction_and_bonferronis(p: NDArray[np.float64]) -> None:
    corrected = holm(p)
    assert (p <= corrected).all()
    assert (corrected <= np.minimum(p * len(p), 1)).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()
    np.testing.assert_array_equal(holm(p[::-1]), corrected[::-1])


def test_no_p_values_are_corrected_to_none() -> None:
    assert holm(np.array([])).size == 0
