"""The interval of a repeated cross-validation is no narrower than its photos allow."""

import numpy as np
import pytest

from onepass.statistics import corrected_difference, corrected_interval, wilson


def test_the_variance_is_that_of_nadeau_and_bengio() -> None:
    accuracies = [0.8, 0.9, 0.7, 0.85, 0.75]
    variance = float(np.var(accuracies, ddof=1)) * (1 / 5 + 0.25)
    low, high = corrected_interval(accuracies, 0.2, 10_000)
    assert (low, high) == pytest.approx(wilson(0.8, 0.8 * 0.2 / variance))
    assert (high - low) / 2 == pytest.approx(1.96 * variance**0.5, rel=0.1)


@pytest.mark.parametrize("accuracy", [0.9, 1.0])
def test_folds_that_agree_are_as_uncertain_as_chance_makes_so_few_photos(accuracy: float) -> None:
    assert corrected_interval([accuracy] * 25, 0.2, 100) == pytest.approx(wilson(accuracy, 20 / (1 / 25 + 0.25)))


def test_the_interval_of_100_photos_holds_the_truth_about_as_often_as_it_says() -> None:
    """A head that is right with a chance of 0.9, whatever it is trained on: the hardest case is the plain one."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        right = random.random(100) < 0.9
        folds = [right[random.permutation(100)].reshape(5, 20).mean(axis=1) for _ in range(5)]
        low, high = corrected_interval(np.concatenate(folds).tolist(), 0.2, 100)
        held += low <= 0.9 <= high
    assert held >= 180


def test_a_difference_in_the_same_folds_is_told_with_its_interval() -> None:
    low, high = corrected_difference([0.02, 0.04, 0.03, 0.05, 0.01], 0.2)
    assert (low + high) / 2 == pytest.approx(0.03)
    # The textbook's t of four degrees of freedom.
    assert (high - low) / 2 == pytest.approx(2.776 * (0.00025 * (1 / 5 + 0.25)) ** 0.5, rel=1e-3)
    assert corrected_difference([0.0, 0.0], 0.5) == (0, 0)
