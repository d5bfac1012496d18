"""The logistic head: regularised by cross-validation, and written as an ordinary linear head."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tests.test_training import TRAIN, blobs

from onepass.heads import Dataset, TrainedHead
from onepass.heads.logistic import fit_regression
from onepass.params import TRAIN_TODO

TRAINING = TRAIN_TODO.model_validate(TRAIN)


def wide(counts: list[int], values: int) -> Dataset:
    """Clouds of points in many dimensions, each on a scale of its own."""
    data = blobs(counts)
    features = np.tile(data.features, values // 4) * np.linspace(1, 50, values, dtype=np.float32) + 7
    return data._replace(features=features)


@pytest.mark.parametrize("values", [4, 400], ids=["more rows than values", "more values than rows"])
def test_probabilities_are_those_of_scikit_learn_on_standardised_features(values: int) -> None:
    data = wide([40, 40, 30], values)
    found = fit_regression(data, 3, TRAINING)
    standardised = StandardScaler().fit_transform(data.features.astype(np.float64))
    model = LogisticRegression(C=found.strength, max_iter=5000, tol=1e-8).fit(standardised, data.labels)
    head = TrainedHead(["a", "b", "c"], "softmax", 1.0, "none", weights=found.weights)
    np.testing.assert_allclose(head.probabilities(data.features), model.predict_proba(standardised), atol=0.01)


def test_two_classes_give_the_same_probabilities_by_sigmoid_and_by_softmax() -> None:
    one, two = (fit_regression(wide([30, 20], 4), logits, TRAINING) for logits in (1, 2))
    features = blobs([5, 5], seed=1).features
    sigmoid = TrainedHead(["a", "b"], "sigmoid", 1.0, "none", weights=one.weights).probabilities(features)
    np.testing.assert_allclose(softmax(features @ two.weights[0] + two.weights[1], axis=1), sigmoid, atol=1e-5)


def test_noise_is_regularised_more_than_signal() -> None:
    noise, signal = blobs([40, 40], distance=0), blobs([40, 40])
    assert fit_regression(noise, 1, TRAINING).strength < fit_regression(signal, 1, TRAINING).strength


def test_views_of_an_image_stay_on_one_side_of_a_fold() -> None:
    # Labels mean nothing, but every image is there 20 times: torn apart, learning it by heart would seem to pay.
    features = np.random.default_rng(5).normal(size=(30, 60)).astype(np.float32)
    labels, images = np.repeat([0, 1], 15 * 20), np.repeat(np.arange(30), 20)
    together = Dataset(np.repeat(features, 20, axis=0), labels, images)
    torn = together._replace(images=np.arange(600))
    assert fit_regression(together, 1, TRAINING).strength < fit_regression(torn, 1, TRAINING).strength


def test_a_class_with_one_image_is_no_obstacle() -> None:
    assert fit_regression(blobs([10, 1]), 1, TRAINING).weights[0].shape == (4, 1)
