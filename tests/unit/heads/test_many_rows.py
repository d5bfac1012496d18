"""Of many rows the closed forms and searches read a piece at a time: no copy of all, and nearly the same answer."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.heads import CHEAP_HEADS, Dataset, chosen_rows, said_of_rows
from onepass.heads.kinds import lda, logistic
from onepass.heads.standardised import standardised

ROWS, VALUES, CLASSES = 3_000, 24, ["cats", "dogs", "owls"]


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds above 8,192 rows holds above 1,000 here."""
    for module in ("standardised", "many_rows", "kinds.logistic"):
        monkeypatch.setattr(f"onepass.heads.{module}.MANY", 1_000)
    monkeypatch.setattr("onepass.heads.standardised.PIECE", 100 * VALUES)
    monkeypatch.setattr("onepass.heads.many_rows.TOGETHER", 70)


def clouds(rows: int = ROWS, values: int = VALUES) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, rows)
    features = random.normal(size=(rows, values), scale=1 + np.arange(values) % 5)
    features[:, :3] += 1.5 * np.eye(3)[labels]
    features[:, 7] = 4  # in all rows the same
    return features.astype(np.float32), labels


def dataset(features: Any, labels: NDArray[np.int64]) -> Dataset:
    return Dataset(features, labels, np.arange(len(labels)) // 2 * 2)  # two views of each image


@pytest.mark.usefixtures("few_are_many")
def test_a_discriminant_is_the_same_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(*clouds())
    in_pieces = lda.fit_discriminant(data, 3, "none", 0)
    monkeypatch.setattr("onepass.heads.standardised.MANY", ROWS)
    at_once = lda.fit_discriminant(data, 3, "none", 0)
    for found, expected in zip(in_pieces.weights, at_once.weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert in_pieces.temperature == pytest.approx(at_once.temperature, rel=1e-3)


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_a_regression_of_the_same_strength_is_the_same(class_weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = clouds()
    in_pieces = logistic.fit_regression(dataset(features, labels), 3, class_weights, 0)
    again = logistic.fit_regression(dataset(features, labels), 3, class_weights, 0)
    assert [array.tobytes() for array in in_pieces.weights] == [array.tobytes() for array in again.weights]
    monkeypatch.setattr("onepass.heads.standardised.MANY", ROWS)
    monkeypatch.setattr(logistic, "STRENGTHS", np.array([in_pieces.strength]))
    at_once = logistic.fit_regression(dataset(features, labels), 3, class_weights, 0)
    said, expected = (features @ fitted.weights[0] + fitted.weights[1] for fitted in (in_pieces, at_once))
    np.testing.assert_allclose(said - said[:, :1], expected - expected[:, :1], atol=2e-2)
    assert in_pieces.converged
    assert in_pieces.temperature == pytest.approx(at_once.temperature, rel=0.2)  # chosen on a third of the rows


@pytest.mark.usefixtures("few_are_many")
def test_chosen_rows_train_the_head_that_their_copy_trains() -> None:
    features, labels = clouds()
    places = np.flatnonzero(np.random.default_rng(1).random(ROWS) < 0.7)
    rows = chosen_rows(features, places)
    assert not isinstance(rows, np.ndarray)
    assert (len(rows), rows.shape) == (len(places), (len(places), VALUES))
    for head in CHEAP_HEADS:
        ours = head.trained_on(rows, labels[places], CLASSES, 0)
        expected = head.trained_on(features[places], labels[places], CLASSES, 0)(features)
        np.testing.assert_array_equal(ours(features), expected)
        np.testing.assert_allclose(said_of_rows(ours, features, places), expected[places], rtol=1e-6)


@pytest.mark.usefixtures("few_are_many")
def test_views_of_an_image_go_together_into_the_rows_that_choose_the_strength() -> None:
    features, labels = clouds()
    labels = np.repeat(labels[::2], 2)
    data = dataset(features, labels)
    few = logistic._of_few(data, standardised(features).features, 0)
    assert 900 < len(few.labels) < 1_100
    assert np.unique(few.images, return_counts=True)[1].tolist() == [2] * (len(few.labels) // 2)
    assert abs(np.bincount(few.labels) / len(few.labels) - np.bincount(labels) / ROWS).max() < 0.01


def test_memory_beside_the_features_does_not_grow_with_them() -> None:
    def peak(rows: int) -> int:
        features, labels = clouds(rows, 256)
        chosen = chosen_rows(features, np.arange(rows))
        tracemalloc.start()
        try:
            lda.fit_discriminant(Dataset(chosen, labels, np.arange(rows)), 3, "none", 0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(60_000) < 1.5 * peak(20_000)
