"""The logistic head: regularised by cross-validation, and written as an ordinary linear head."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from onepass.heads import Dataset, TrainedHead, figures, read_head, write_head
from onepass.heads.folds import folds_by_class
from onepass.heads.kinds import logistic
from onepass.heads.kinds.logistic import Logistic, fit_regression
from tests.unit.heads.small_heads import blobs, fit, unfitted


def wide(counts: list[int], values: int) -> Dataset:
    """Clouds of points in many dimensions, each on a scale of its own."""
    data = blobs(counts)
    features = np.tile(data.features, values // 4) * np.linspace(1, 50, values, dtype=np.float32) + 7
    return data._replace(features=features)


def regression(data: Dataset, logits: int) -> Logistic:
    return fit_regression(data, logits, "none", seed=0)


@pytest.mark.parametrize("values", [4, 400], ids=["more rows than values", "more values than rows"])
def test_probabilities_are_those_of_scikit_learn_on_standardised_features(values: int) -> None:
    data = wide([40, 40, 30], values)
    found = regression(data, 3)
    standardised = StandardScaler().fit_transform(data.features.astype(np.float64))
    model = LogisticRegression(C=found.strength, max_iter=5000, tol=1e-8).fit(standardised, data.labels)
    head = unfitted(3)._replace(weights=found.weights)
    np.testing.assert_allclose(head.probabilities(data.features), model.predict_proba(standardised), atol=0.01)


def test_two_classes_give_the_same_probabilities_by_sigmoid_and_by_softmax() -> None:
    one, two = (regression(wide([30, 20], 4), logits) for logits in (1, 2))
    features = blobs([5, 5], seed=1).features
    sigmoid = unfitted(1)._replace(weights=one.weights).probabilities(features)
    np.testing.assert_allclose(softmax(features @ two.weights[0] + two.weights[1], axis=1), sigmoid, atol=1e-5)


def test_noise_is_regularised_more_than_signal() -> None:
    noise, signal = blobs([40, 40], distance=0), blobs([40, 40])
    assert regression(noise, 1).strength < regression(signal, 1).strength


def test_views_of_an_image_stay_on_one_side_of_a_fold() -> None:
    # Labels mean nothing, but every image is there 20 times: torn apart, learning it by heart would seem to pay.
    features = np.random.default_rng(5).normal(size=(30, 60)).astype(np.float32)
    labels, images = np.repeat([0, 1], 15 * 20), np.repeat(np.arange(30), 20)
    together = Dataset(np.repeat(features, 20, axis=0), labels, images)
    torn = together._replace(images=np.arange(600))
    assert regression(together, 1).strength < regression(torn, 1).strength


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_those_of_scikit_learn(seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], [9, 20, 14]))
    expected = StratifiedKFold(4, shuffle=True, random_state=seed).split(labels, labels)
    found = folds_by_class(labels, 4, seed)
    for number, (_, left_out) in enumerate(expected):
        np.testing.assert_array_equal(np.flatnonzero(found == number), left_out)


def test_balanced_classes_weigh_as_in_scikit_learn() -> None:
    data = wide([40, 15, 10], 4)
    found = fit_regression(data, 3, "balanced", seed=0)
    standardised = StandardScaler().fit_transform(data.features.astype(np.float64))
    model = LogisticRegression(C=found.strength, class_weight="balanced", max_iter=5000, tol=1e-8)
    expected = model.fit(standardised, data.labels).predict_proba(standardised)
    head = unfitted(3)._replace(weights=found.weights)
    np.testing.assert_allclose(head.probabilities(data.features), expected, atol=0.01)


def test_a_value_that_is_the_same_everywhere_has_no_say() -> None:
    data = wide([20, 20], 4)
    constant = np.column_stack([data.features, np.full(40, 3.7, np.float32)])
    (kernel, bias), (expected, _) = (regression(part, 1).weights for part in (data._replace(features=constant), data))
    np.testing.assert_allclose(kernel[:4], expected, atol=1e-6)
    assert kernel[4] == 0
    assert np.isfinite(bias).all()


def test_a_class_with_one_image_is_no_obstacle() -> None:
    assert regression(blobs([10, 1]), 1).weights[0].shape == (4, 1)


def test_the_head_is_the_regression_and_logs_once_what_it_gives(capsys: pytest.CaptureFixture[str]) -> None:
    data, validation = blobs([30, 20]), blobs([20, 20], seed=1)
    head, logged = fit(data, validation, 1, "logistic")
    expected = regression(data, 1)
    temperature = expected.temperature or 0
    for found, array in zip(head.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(found, (array / temperature).astype(np.float32))
    empty = TrainedHead(["0", "1"], "sigmoid", 1.0, "none", trained_parameters=5, temperature=temperature)
    assert head._replace(weights=()) == empty
    assert logged == [figures(head, validation)]
    assert capsys.readouterr().out == f"cross-validation chose C = {expected.strength:g}\n"


@pytest.mark.parametrize(("iterations", "converged"), [(1000, True), (2, False)])
def test_a_search_that_was_ended_on_its_way_is_known_from_the_written_head(
    iterations: int, converged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logistic, "ITERATIONS", iterations)
    head, _ = fit(blobs([30, 20]), blobs([20, 20], seed=1), 1, "logistic")
    write_head(tmp_path, head)
    assert read_head(tmp_path).converged is converged
    assert ("converged" in (tmp_path / "head.json").read_text()) is not converged
