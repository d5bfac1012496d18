"""How good the predictions are, and how sure that is."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference

from onepass.core import UserError, write_csv, write_json
from onepass.evaluation import (
    ClassMetrics,
    Metrics,
    ReliabilityBin,
    read_classes,
    read_metrics,
    read_reliability,
    reliability,
    score,
    score_classes,
    write_score_tables,
)
from onepass.evaluation.metrics import calibration_error, log_loss, roc_auc
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


def scored(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Metrics:
    return score(labels, probabilities, "test", best_epoch=3, epochs=5)


@pytest.mark.parametrize("classes", [2, 3])
def test_perfect_predictions_have_perfect_scores(classes: int) -> None:
    labels = np.array([0, 1, classes - 1] * 10)
    found = scored(labels, certain(list(labels), classes, confidence=1.0))
    assert (found.accuracy, found.accuracy_high, found.roc_auc) == (1, 1, 1)
    assert found.log_loss == pytest.approx(0, abs=1e-9)
    assert found.expected_calibration_error == 0
    assert (found.images, found.correct) == (30, 30)
    assert all(of_class.f1 == 1 for of_class in score_classes(labels, labels, CLASSES[:classes]))


@pytest.mark.parametrize("classes", [2, 3])
def test_random_predictions_score_like_chance(classes: int) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(classes, size=6000)
    found = scored(labels, random.dirichlet(np.ones(classes), size=6000))
    assert found.accuracy_low < 1 / classes < found.accuracy_high
    assert found.roc_auc == pytest.approx(0.5, abs=0.03)


def test_undecided_predictions_have_the_loss_of_a_guess() -> None:
    assert scored(np.array([0, 1, 2]), np.full((3, 3), 1 / 3)).log_loss == pytest.approx(np.log(3))


def test_figures_of_every_class_equal_a_hand_count() -> None:
    labels = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    predicted = [0, 0, 1, 2, 1, 1, 0, 0, 0, 0]
    found = scored(np.array(labels), certain(predicted))
    assert (found.accuracy, found.correct, found.images) == (0.4, 4, 10)
    ant, bee, cat = score_classes(np.array(labels), np.array(predicted), CLASSES[:3])
    assert ant[1:] == pytest.approx((2 / 6, 2 / 4, 0.4, 4))
    assert bee[1:] == pytest.approx((2 / 3, 2 / 3, 2 / 3, 3))
    assert cat == ClassMetrics("cat", precision=0, recall=0, f1=0, images=3)


def test_roc_auc_of_two_classes_counts_pairs_in_the_right_order() -> None:
    labels = np.array([0, 0, 1, 1])
    ranked = binary([0.1, 0.6, 0.4, 0.9])  # of four pairs of one image a class, one is in the wrong order
    assert scored(labels, ranked).roc_auc == pytest.approx(0.75)


def test_the_interval_is_wilsons_and_of_the_accuracy() -> None:
    found = scored(np.array([0, 0, 1, 2]), certain([0, 1, 1, 2]))
    assert (found.accuracy_low, found.accuracy_high) == wilson(0.75, 4)


@pytest.mark.parametrize(
    ("split", "best_epoch", "optimistic"),
    [("validation", 3, True), ("validation", 0, False), ("test", 3, False)],
)
def test_only_images_that_chose_the_epoch_make_the_accuracy_optimistic(
    split: str, best_epoch: int, optimistic: bool
) -> None:
    found = score(np.array([0, 1, 1, 2]), certain([0, 1, 1, 1]), split, best_epoch, epochs=5)
    assert (found.split, found.best_epoch, found.epochs, found.chose_the_epoch) == (split, best_epoch, 5, optimistic)
    low, high = wilson(0.75, 4)
    sentence = f"accuracy 0.7500 (95 % interval {low:.4f} to {high:.4f}) on 4 {split} images"
    more = "; validation chose the best epoch too, so this accuracy is somewhat optimistic" if optimistic else ""
    assert found.sentence == sentence + more


def test_scores_of_classes_come_back_whatever_these_are_called(tmp_path: Path) -> None:
    classes, labels = ["ant", "caf\udce9", "thé\n"], np.array([0, 1, 1, 2])
    write_score_tables(tmp_path, labels, certain([0, 1, 1, 1]), classes)
    assert read_classes(tmp_path / "classes.csv") == score_classes(labels, np.array([0, 1, 1, 1]), classes)
    assert len(read_reliability(tmp_path / "reliability.csv")) == 1
    assert (tmp_path / "confusion.csv").read_bytes().startswith(b"label,predicted\nant,ant\ncaf\xe9,caf\xe9\n")
    (tmp_path / "classes.csv").write_text("label,precision\nant,1\n")
    with pytest.raises(UserError, match=r"classes\.csv cannot be read: .*`dvc repro` brings it up to date"):
        read_classes(tmp_path / "classes.csv")


def test_metrics_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = scored(np.array([0, 1, 1, 2]), certain([0, 1, 1, 1]))
    write_json(tmp_path / "metrics.json", written.model_dump())
    assert read_metrics((tmp_path / "metrics.json").read_bytes(), "metrics.json") == written


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "abc:metrics.json is no JSON: Expecting value"),
        (b"{", "abc:metrics.json is no JSON"),
        (b'{"accuracy": "\xff"}', "abc:metrics.json is no JSON"),
        (b"3", "abc:metrics.json is not as this version of onepass writes it"),
        (b"{}", "abc:metrics.json is not as this version of onepass writes it: accuracy: Field required"),
        (b'{"accuracy": "high"}', "abc:metrics.json .* writes it: accuracy: Input should be a valid number"),
    ],
    ids=str,
)
def test_what_are_no_metrics_is_refused_with_the_way_out(content: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=f"^{complaint}.*`dvc repro` brings it up to date"):
        read_metrics(content, "abc:metrics.json")


def test_reliability_comes_back_as_it_was_written_and_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "reliability.csv"
    with pytest.raises(UserError, match=r"reliability\.csv cannot be read: .*`dvc repro`"):
        read_reliability(path)
    bins = reliability(np.array([1, 0, 1]), binary([0.96, 0.94, 0.62]))
    write_csv(path, ReliabilityBin._fields, bins)
    assert read_reliability(path) == bins
    path.write_text("confidence,accuracy\n0.5,0.5\n")
    with pytest.raises(UserError, match=r"reliability\.csv cannot be read: .*`dvc repro`"):
        read_reliability(path)


@given(st.integers(2, 5), st.integers(0, 2**31 - 1), st.sampled_from([2, 4, 60]))
def test_scores_are_those_of_scikit_learn_which_takes_a_second_to_import(classes: int, seed: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, 40)])
    weights = random.integers(0, steps, (len(labels), classes)) + 1e-12  # few steps: many ties
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    auc = {"y_score": probabilities[:, 1]} if classes == 2 else {"y_score": probabilities, "multi_class": "ovr"}
    assert roc_auc(labels, probabilities) == pytest.approx(reference.roc_auc_score(labels, **auc), abs=1e-12)
    expected = reference.log_loss(labels, probabilities, labels=range(classes))
    assert log_loss(labels, probabilities) == pytest.approx(expected, rel=1e-6)
    by_class = reference.precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)
    found = score_classes(labels, predicted, [str(number) for number in range(classes)])
    np.testing.assert_allclose([of_class[1:] for of_class in found], np.transpose(by_class), atol=1e-12)
