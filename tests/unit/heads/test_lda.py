"""The lda head: a closed form whose probabilities can be believed."""

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance

from onepass.heads import Dataset, figures
from onepass.heads.kinds.lda import fit_discriminant
from onepass.heads.kinds.logistic import fit_regression
from tests.unit.heads.small_heads import blobs, fit, unfitted


def wide(counts: list[int], values: int, seed: int = 0) -> Dataset:
    """Clouds of points in many dimensions, each on a scale of its own, with noise in all of them."""
    data = blobs(counts, seed)
    noise = np.random.default_rng(seed).normal(size=(len(data.labels), values))
    features = np.tile(data.features, values // 4) / 2 + noise
    return data._replace(features=(features * np.linspace(1, 50, values) + 7).astype(np.float32))


@pytest.mark.parametrize("values", [8, 400], ids=["more rows than values", "more values than rows"])
def test_classes_are_those_of_the_textbook_formula(values: int) -> None:
    data = wide([40, 40, 30], values)
    kernel, bias = fit_discriminant(data, 3, "none", seed=0).weights
    features = data.features.astype(np.float64)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    means = np.stack([features[data.labels == number].mean(axis=0) for number in range(3)])
    rows = len(features)
    covariance = EmpiricalCovariance(assume_centered=True).fit(features - means[data.labels]).covariance_
    covariance *= rows / (rows - 3)
    inverse = values * np.linalg.inv((rows - 3) * covariance + np.trace(covariance) * np.eye(values))
    expected = features @ inverse @ means.T - np.einsum("kd,de,ke->k", means, inverse, means) / 2
    expected += np.log(np.bincount(data.labels) / rows)
    found = data.features @ kernel + bias
    ratio = (found - found.mean(axis=1, keepdims=True)) / (expected - expected.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=0.05)  # a temperature lies between them
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.parametrize("values", [8, 400])
def test_it_is_about_as_good_as_a_regression_and_as_sure_as_it_is_right(values: int) -> None:
    data, others = wide([60, 60], values), wide([500, 500], values, seed=1)
    found = unfitted(1)._replace(weights=fit_discriminant(data, 1, "none", seed=0).weights)
    regression = unfitted(1)._replace(weights=fit_regression(data, 1, "none", seed=0).weights)
    assert figures(found, others).accuracy >= figures(regression, others).accuracy - 0.03
    assert figures(found, others).loss <= 1.2 * figures(regression, others).loss


def test_sigmoid_and_softmax_give_the_same_probabilities() -> None:
    data = wide([30, 20], 8)
    one, two = (fit_discriminant(data, logits, "none", seed=0).weights for logits in (1, 2))
    sigmoid = unfitted(1)._replace(weights=one).probabilities(data.features)
    softmax = unfitted(2)._replace(weights=two).probabilities(data.features)
    np.testing.assert_allclose(softmax, sigmoid, atol=1e-4)


def test_balanced_takes_all_classes_to_be_as_likely() -> None:
    data = wide([200, 20], 8)
    fitted = [fit_discriminant(data, 1, given, 0).weights for given in ("none", "balanced")]
    shares = [unfitted(1)._replace(weights=weights).probabilities(data.features)[:, 1].mean() for weights in fitted]
    assert shares[0] < shares[1]


def test_one_image_a_class_is_enough() -> None:
    data = blobs([1, 1])
    head, logged = fit(data, data, 1, "lda")
    assert np.isfinite(head.weights[0]).all()
    assert logged[0].accuracy == 1.0


def test_a_value_that_is_the_same_everywhere_has_no_say() -> None:
    data = wide([20, 20], 8)
    data.features[:, 3] = 5.0
    kernel, _ = fit_discriminant(data, 1, "none", seed=0).weights
    assert kernel[3] == 0


def test_the_same_photos_give_the_same_bytes() -> None:
    first, again = (fit_discriminant(wide([40, 30, 20], 400), 3, "none", seed=0).weights for _ in range(2))
    assert [array.tobytes() for array in first] == [array.tobytes() for array in again]
