"""What cheap heads say of photos that they were not trained on, and which labels they doubt."""

import numpy as np
import pytest

from onepass.audit import FeatureTable, are_suspect, cross_validate, without_doubted
from onepass.audit.learning_curve import learning_curve, points_of, sentence
from onepass.core import UserError
from onepass.heads import CHEAP_HEADS


def two_clouds(count: int, seed: int = 0, apart: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of two classes that overlap a little."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return (random.normal(size=(count, 8)) + apart * labels[:, None]).astype(np.float32), labels


def test_accuracy_on_photos_left_out_is_that_on_new_ones() -> None:
    features, labels = two_clouds(300)
    left_out = cross_validate(CHEAP_HEADS, FeatureTable(features, labels, ["cats", "dogs"], []), 3, 0)
    assert [one.kind for one in left_out] == ["lda", "logistic"]
    for one, head in zip(left_out, CHEAP_HEADS, strict=True):
        more, their_labels = two_clouds(20_000, seed=1)
        says = head.trained_on(features, labels, ["cats", "dogs"], 0)
        accuracy, low, high = one.accuracy()
        truth = (says(more).argmax(axis=1) == their_labels).mean()
        assert low < truth < high
        assert accuracy == pytest.approx((one.probabilities.argmax(axis=1) == labels).mean(), abs=0.02)
        assert one.probabilities.sum(axis=1) == pytest.approx(1)
        assert len(one.accuracies) == 3 * one.folds == 15


def test_a_photo_has_no_part_in_what_is_said_of_it_nor_have_those_of_its_group() -> None:
    """Features that say who a photo is, and labels that nobody can guess: only a head that saw it could be right."""
    random = np.random.default_rng(0)
    features = np.repeat(np.eye(40, dtype=np.float32), 3, axis=0)
    labels = np.repeat(random.permutation(np.arange(40) % 2), 3)
    groups = [np.arange(start, start + 3) for start in range(0, 120, 3)]
    (torn, _), (whole, _) = (
        cross_validate(CHEAP_HEADS, FeatureTable(features, labels, ["cats", "dogs"], some), 2, 0)
        for some in ([], groups)
    )
    assert torn.accuracy()[0] > 0.9
    assert whole.accuracy()[0] < 0.65


def test_the_same_photos_give_the_same_bytes() -> None:
    features, labels = two_clouds(80)
    table = FeatureTable(features, labels, ["cats", "dogs"], [])
    one, other = (cross_validate(CHEAP_HEADS, table, 2, 0) for _ in range(2))
    assert all((a.probabilities == b.probabilities).all() for a, b in zip(one, other, strict=True))


def test_a_class_that_cannot_be_left_out_is_named() -> None:
    features, labels = two_clouds(12)
    labels[:] = [0] * 10 + [1] * 2
    table = FeatureTable(features, labels, ["cats", "dogs"], [np.array([10, 11])])
    with pytest.raises(UserError, match="dogs has 1\nAdd photos of these classes"):
        cross_validate(CHEAP_HEADS, table, 1, 0)


def test_wrong_labels_are_found_and_right_ones_left_alone() -> None:
    features, labels = two_clouds(600, apart=2.5)
    wrong = np.random.default_rng(3).permutation(600)[:30]
    given = labels.copy()
    given[wrong] = 1 - given[wrong]
    table = FeatureTable(features, given, ["cats", "dogs"], [])
    first = np.mean([one.probabilities for one in cross_validate(CHEAP_HEADS, table, 2, 0)], axis=0)
    chances, trusted = without_doubted(CHEAP_HEADS, table, first, 0)
    suspect = are_suspect(chances, given)
    assert suspect[wrong].mean() >= 0.9
    assert suspect[np.setdiff1d(np.arange(600), wrong)].mean() < 0.01
    assert trusted[wrong].mean() < 0.1
    assert (chances[wrong].argmax(axis=1) == labels[wrong]).mean() >= 0.9


def test_a_class_of_which_every_label_is_doubted_is_trained_on_all_the_same() -> None:
    features, labels = two_clouds(60)
    table = FeatureTable(features, labels, ["cats", "dogs"], [])
    found = cross_validate(CHEAP_HEADS, table, 1, 0, trusted=labels == 0)
    assert all(np.isfinite(one.probabilities).all() for one in found)


def test_what_more_photos_may_bring_is_a_range_that_begins_with_nothing() -> None:
    by_share = np.repeat([[0.7], [0.8], [0.86], [0.9]], 15, axis=1)
    points = points_of(by_share, 800, 5)
    assert [point.images for point in points] == [100, 200, 400, 800, 1600, 3200]
    assert [point.accuracy for point in points] == [pytest.approx(a) for a in (0.7, 0.8, 0.86, 0.9)] + [None, None]
    now, twice, four = points[-3:]
    assert twice.low == four.low == now.low < 0.9 < now.high
    assert (twice.high, four.high) == pytest.approx((now.high + 0.04, min(now.high + 0.08, 1)))
    falling = points_of(by_share[::-1], 800, 5)
    assert falling[-1].high == falling[-3].high
    assert "between" in sentence(points)


def test_a_curve_rises_with_the_photos_and_its_range_holds_what_all_of_them_give() -> None:
    features, labels = two_clouds(1200, apart=0.7)
    few = learning_curve(CHEAP_HEADS[0], FeatureTable(features[:300], labels[:300], ["cats", "dogs"], []), 0)
    every = learning_curve(CHEAP_HEADS[0], FeatureTable(features, labels, ["cats", "dogs"], []), 0)
    measured = [point.accuracy for point in every if point.accuracy is not None]
    assert measured[0] < measured[-1]
    assert few[-1].low <= measured[-1] <= few[-1].high
