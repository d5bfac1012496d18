"""The logistic head: regularised by cross-validation, and written as an ordinary linear head."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from stages.shared.head import Head
from stages.shared.logistic import STRENGTHS, Logistic, fit_logistic
from stages.shared.params import Train
from tests.test_training import TRAIN, blobs


def fitted(counts: list[int], logits: int, values: int = 4, **changes: object) -> Logistic:
    data = blobs(counts)
    features = np.tile(data.features, values // 4) * np.linspace(1, 50, values, dtype=np.float32) + 7
    return fit_logistic(
        features, data.labels, np.arange(len(data.labels)), logits, Train.model_validate(TRAIN | changes)
    )


@pytest.mark.parametrize("values", [4, 400], ids=["more rows than values", "more values than rows"])
def test_probabilities_are_those_of_scikit_learn_on_standardised_features(values: int) -> None:
    counts = [40, 40, 30]
    found = fitted(counts, 3, values)
    data = blobs(counts)
    features = np.tile(data.features, values // 4) * np.linspace(1, 50, values, dtype=np.float32) + 7
    standardised = StandardScaler().fit_transform(features.astype(np.float64))
    model = LogisticRegression(C=found.strength, max_iter=5000, tol=1e-8).fit(standardised, data.labels)
    head = Head(["a", "b", "c"], "softmax", 1.0, "none", weights=found.weights)
    np.testing.assert_allclose(head.probabilities(features), model.predict_proba(standardised), atol=0.01)


def test_two_classes_give_the_same_probabilities_by_sigmoid_and_by_softmax() -> None:
    one, two = fitted([30, 20], 1), fitted([30, 20], 2)
    features = blobs([5, 5], seed=1).features
    sigmoid = Head(["a", "b"], "sigmoid", 1.0, "none", weights=one.weights).probabilities(features)
    np.testing.assert_allclose(softmax(features @ two.weights[0] + two.weights[1], axis=1), sigmoid, atol=1e-5)


def test_noise_is_regularised_more_than_signal() -> None:
    noise = blobs([40, 40], distance=0)
    train = Train.model_validate(TRAIN)
    strength = fit_logistic(noise.features, noise.labels, np.arange(80), 1, train).strength
    assert strength < fitted([40, 40], 1).strength
    assert {strength} <= set(STRENGTHS)


def test_views_of_an_image_stay_on_one_side_of_a_fold() -> None:
    # Labels mean nothing, but every image is there 20 times: torn apart, learning it by heart would seem to pay.
    noise = blobs([15, 15], distance=0)
    features, labels, images = (np.repeat(array, 20, axis=0) for array in (*noise, np.arange(30)))
    train = Train.model_validate(TRAIN)
    random = np.random.default_rng(5).normal(size=(30, 60)).astype(np.float32)
    features = np.hstack([features, np.repeat(random, 20, axis=0)])
    together = fit_logistic(features, labels, images, 1, train).strength
    torn = fit_logistic(features, labels, np.arange(600), 1, train).strength
    assert together < torn


def test_a_class_with_one_image_is_no_obstacle() -> None:
    assert fitted([10, 1], 1).weights[0].shape == (4, 1)
