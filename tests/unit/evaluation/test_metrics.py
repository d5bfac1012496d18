"""How good the predictions are, and how sure that is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.evaluation.metrics import calibration_error, reliability, score
from onepass.statistics import wilson

CLASSES = ["ant", "bee", "cat"]


def certain(predicted: list[int], classes: int = 3, confidence: float = 0.8) -> NDArray[np.float64]:
    """Probabilities with ``confidence`` in the predicted class and the rest shared by the others."""
    rows = np.full((len(predicted), classes), (1 - confidence) / (classes - 1))
    rows[np.arange(len(predicted)), predicted] = confidence
    return rows


def binary(confidences: list[float]) -> NDArray[np.float64]:
    """Probabilities of two classes, each image predicted to be of class 1."""
    return np.array([[1 - confidence, confidence] for confidence in confidences])


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
def test_wilson_interval_has_the_known_bounds(correct: int, images: int, low: float, high: float) -> None:
    assert wilson(correct, images) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("images", [1, 2, 7, 800])
def test_wilson_interval_stays_within_0_and_1_and_holds_the_accuracy(images: int) -> None:
    for correct in range(images + 1):
        low, high = wilson(correct, images)
        assert 0 <= low <= correct / images <= high <= 1
        assert low < high


def test_reliability_gives_confidence_accuracy_and_images_of_each_occupied_bin() -> None:
    labels = np.array([1, 0, 1, 1, 0])
    probabilities = binary([0.96, 0.94, 0.62, 0.68, 0.71])
    expected = [(0.65, 1.0, 2), (0.71, 0.0, 1), (0.95, 0.5, 2)]
    found = reliability(labels, probabilities)
    assert [images for *_, images in found] == [images for *_, images in expected]
    np.testing.assert_allclose(found, expected)


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert len(reliability(np.array([1, 1]), binary([1.0, 0.93]))) == 1


def test_calibration_error_is_the_mean_gap_weighed_by_images() -> None:
    labels = np.array([1, 0, 1, 1])
    by_hand = 0.5 * abs(0.95 - 0.5) + 0.5 * abs(0.65 - 1.0)
    assert calibration_error(labels, binary([0.95, 0.95, 0.65, 0.65])) == pytest.approx(by_hand)


def test_calibration_error_is_zero_where_confidence_equals_accuracy() -> None:
    assert calibration_error(np.array([1, 1, 1, 0]), binary([0.75] * 4)) == pytest.approx(0)


@pytest.mark.parametrize("classes", [2, 3])
def test_perfect_predictions_have_perfect_scores(classes: int) -> None:
    labels = np.array([0, 1, classes - 1] * 10)
    found = score(labels, certain(list(labels), classes, confidence=1.0), CLASSES[:classes])
    assert (found["accuracy"], found["accuracy_high"], found["roc_auc"]) == (1, 1, 1)
    assert found["log_loss"] == pytest.approx(0, abs=1e-9)
    assert found["expected_calibration_error"] == 0
    assert (found["images"], found["correct"]) == (30, 30)
    assert all(of_class["f1"] == 1 for of_class in found["per_class"].values())


@pytest.mark.parametrize("classes", [2, 3])
def test_random_predictions_score_like_chance(classes: int) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(classes, size=6000)
    found = score(labels, random.dirichlet(np.ones(classes), size=6000), CLASSES[:classes])
    assert found["accuracy_low"] < 1 / classes < found["accuracy_high"]
    assert found["roc_auc"] == pytest.approx(0.5, abs=0.03)


def test_undecided_predictions_have_the_loss_of_a_guess() -> None:
    assert score(np.array([0, 1, 2]), np.full((3, 3), 1 / 3), CLASSES)["log_loss"] == pytest.approx(np.log(3))


def test_figures_of_every_class_equal_a_hand_count() -> None:
    labels = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    predicted = [0, 0, 1, 2, 1, 1, 0, 0, 0, 0]
    found = score(np.array(labels), certain(predicted), CLASSES)
    assert (found["accuracy"], found["correct"], found["images"]) == (0.4, 4, 10)
    assert found["per_class"]["ant"] == pytest.approx({"precision": 2 / 6, "recall": 2 / 4, "f1": 0.4, "images": 4})
    assert found["per_class"]["bee"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "images": 3})
    assert found["per_class"]["cat"] == {"precision": 0, "recall": 0, "f1": 0, "images": 3}


def test_roc_auc_of_two_classes_counts_pairs_in_the_right_order() -> None:
    labels = np.array([0, 0, 1, 1])
    ranked = binary([0.1, 0.6, 0.4, 0.9])  # of four pairs of one image a class, one is in the wrong order
    assert score(labels, ranked, CLASSES[:2])["roc_auc"] == pytest.approx(0.75)
