"""One number that makes probabilities as high as they are right."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from onepass.heads.temperature import best_temperature


def drawn(images: int, classes: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits, and labels that are drawn with the probabilities that they say."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (images, classes))
    labels = [random.choice(classes, p=chances) for chances in softmax(logits, axis=1)]
    return logits, np.array(labels)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("wrong_by", [0.25, 1, 6])
def test_logits_that_are_too_large_or_small_by_a_factor_are_divided_by_it(classes: int, wrong_by: float) -> None:
    logits, labels = drawn(20_000, classes)
    assert best_temperature(logits * wrong_by, labels) == pytest.approx(wrong_by, rel=0.05)


def test_logarithms_of_probabilities_are_logits_too() -> None:
    logits, labels = drawn(500, 3)
    of_probabilities = np.log(softmax(logits, axis=1))
    assert best_temperature(of_probabilities, labels) == pytest.approx(best_temperature(logits, labels), rel=1e-3)


def test_a_few_photos_that_are_all_right_do_not_make_sure_of_everything() -> None:
    logits, labels = np.array([[1.0, 0.0]] * 10), np.zeros(10, np.int64)
    sure = softmax(logits / best_temperature(logits, labels), axis=1)[0, 0]
    assert sure == pytest.approx(11 / 12, abs=1e-3)  # Platt's (n + 1) / (n + 2)


def test_weights_count() -> None:
    logits, labels = np.array([[3.0, 0.0]] * 10), np.array([0] * 5 + [1] * 5)
    mostly_right = np.array([1.0] * 5 + [0.1] * 5)
    assert best_temperature(logits, labels, mostly_right) < best_temperature(logits, labels)
