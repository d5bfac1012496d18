"""metrics.json, classes.csv and reliability.csv: how good the predictions are, and how sure that is."""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from onepass.core import UserError, write_csv
from onepass.statistics import wilson

BINS = 10  # of confidence, in the reliability curve and the calibration error
CROSS_VALIDATION = "cross-validation"  # in place of a split: each image by a head that was trained without it
BRING_UP_TO_DATE = "`dvc repro` brings it up to date."


class ClassMetrics(NamedTuple):
    """A row of classes.csv: how well one class is told from the others; shares, 0..1."""

    label: str
    precision: float
    recall: float
    f1: float
    images: int


class Metrics(BaseModel):
    """The content of metrics.json: the scores of the evaluated split."""

    model_config = ConfigDict(frozen=True)
    accuracy: float
    accuracy_low: float  # ends of its 95 % interval
    accuracy_high: float
    log_loss: float  # nats
    roc_auc: float
    expected_calibration_error: float
    images: int
    correct: int
    split: str  # that was evaluated
    chose_the_epoch: bool  # by the evaluated split, so that the accuracy is somewhat optimistic
    best_epoch: int  # counted from 1; 0 where none was chosen
    epochs: int

    @property
    def sentence(self) -> str:
        """The result as a person would say it."""
        text = (
            f"accuracy {self.accuracy:.4f} (95 % interval {self.accuracy_low:.4f} to {self.accuracy_high:.4f}) "
            f"on {self.images} {self.split} images"
        )
        optimistic = "; validation chose the best epoch too, so this accuracy is somewhat optimistic"
        return text + optimistic if self.chose_the_epoch else text


class ReliabilityBin(NamedTuple):
    """A row of reliability.csv: images of which the head is about as sure."""

    confidence: float  # mean
    accuracy: float
    images: int


def score(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    split: str,
    best_epoch: int,
    epochs: int,
) -> Metrics:
    """The metrics of a split.

    Args:
        labels: (images,), numbers of classes; every class occurs.
        probabilities: (images, classes), rows sum to 1.

    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    low, high = wilson(correct / len(labels), len(labels))
    return Metrics(
        accuracy=correct / len(labels),
        accuracy_low=low,
        accuracy_high=high,
        log_loss=log_loss(labels, probabilities),
        roc_auc=roc_auc(labels, probabilities),
        expected_calibration_error=calibration_error(labels, probabilities),
        images=len(labels),
        correct=correct,
        split=split,
        chose_the_epoch=split == "validation" and best_epoch > 0,
        best_epoch=best_epoch,
        epochs=epochs,
    )


def score_classes(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[str]) -> list[ClassMetrics]:
    """The metrics of each class.

    Args:
        labels: (images,), numbers of classes.
        predicted: (images,), likewise.

    """
    images, named, right = (
        np.bincount(numbers, minlength=len(classes)) for numbers in (labels, predicted, labels[labels == predicted])
    )
    # Of a class that nothing is taken for, or that no image has, there is nothing right to have a share of.
    shares = (right / np.maximum(named, 1), right / np.maximum(images, 1), 2 * right / np.maximum(images + named, 1))
    columns = [column.tolist() for column in (*shares, images)]
    return [ClassMetrics(*of_class) for of_class in zip(classes, *columns, strict=True)]


def write_score_tables(
    folder: Path, labels: NDArray[np.int64], probabilities: NDArray[np.float64], classes: list[str]
) -> None:
    """Writes confusion.csv (label and prediction of each image), classes.csv and reliability.csv.

    Args:
        labels, probabilities: as for ``score``.

    """
    predicted = probabilities.argmax(axis=1)
    pairs = ((classes[label], classes[number]) for label, number in zip(labels, predicted, strict=True))
    write_csv(folder / "confusion.csv", ["label", "predicted"], pairs)
    write_csv(folder / "classes.csv", ClassMetrics._fields, score_classes(labels, predicted, classes))
    write_csv(folder / "reliability.csv", ReliabilityBin._fields, reliability(labels, probabilities))


def read_classes(path: Path) -> list[ClassMetrics]:
    """The rows of classes.csv. UserError where it is missing or something else."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return [
                ClassMetrics(
                    row["label"], float(row["precision"]), float(row["recall"]), float(row["f1"]), int(row["images"])
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read: {error!r}. {BRING_UP_TO_DATE}") from error


def read_metrics(content: bytes, name: str | Path, inside: str = "") -> Metrics:
    """The content of a metrics.json. UserError: another version wrote it, or nobody.

    Args:
        name: for the message.
        inside: the key that holds the scores, where they are not all that it holds.

    """
    try:
        parsed = json.loads(content)
        return Metrics.model_validate(
            parsed.get(inside) if inside and isinstance(parsed, dict) else parsed
        )  # not by pydantic, which takes no name that is not UTF-8
    except ValidationError as error:
        wrong = ", ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()[:5])
        raise UserError(f"{name} is not as this version of onepass writes it: {wrong}. {BRING_UP_TO_DATE}") from error
    except ValueError as error:
        raise UserError(f"{name} is no JSON: {error}. {BRING_UP_TO_DATE}") from error


def reliability(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[ReliabilityBin]:
    """Each occupied bin of confidence."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        ReliabilityBin(
            float(confidence[bins == bin_].mean()), float(right[bins == bin_].mean()), int((bins == bin_).sum())
        )
        for bin_ in np.unique(bins)
    ]


def read_reliability(path: Path) -> list[ReliabilityBin]:
    """The rows of reliability.csv. UserError where it is missing or something else."""
    try:
        with path.open(newline="") as file:
            return [
                ReliabilityBin(float(row["confidence"]), float(row["accuracy"]), int(row["images"]))
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read: {error!r}. {BRING_UP_TO_DATE}") from error


def calibration_error(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Expected calibration error (Naeini et al., 2015): mean gap of confidence and accuracy over equal bins."""
    table = reliability(labels, probabilities)
    return sum(images * abs(confidence - accuracy) for confidence, accuracy, images in table) / len(labels)


def log_loss(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Mean of -ln of the probability of the label, nats; a probability of 0 counts as the smallest step from it."""
    chances = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chances, np.finfo(np.float64).eps)).mean())


def roc_auc(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Area under the ROC curve; for more than two classes the mean over one against the rest."""
    classes = range(1, 2) if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return float(np.mean([area_under_roc(labels == number, probabilities[:, number]) for number in classes]))


def area_under_roc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """How often a positive has the higher score than a negative, ties as half: the statistic of Mann and Whitney."""
    high, low = scores[positive], np.sort(scores[~positive])
    below, not_above = (low.searchsorted(high, side).sum() for side in ("left", "right"))
    return float((below + not_above) / 2 / (len(high) * len(low)))
