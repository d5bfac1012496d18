"""How good the predictions are, and how sure that is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score

BINS = 10  # of confidence, in the reliability curve and the calibration error


def wilson(correct: int, images: int) -> tuple[float, float]:
    """95 % interval of an accuracy (Wilson, 1927): honest near 0 and 1 and for few images."""
    interval = binomtest(correct, images).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def scores(labels: NDArray[np.int64], probabilities: NDArray[np.float64], classes: list[str]) -> dict[str, Any]:
    """The figures of metrics.json.

    Args:
        labels: (images,), numbers of classes; every class occurs.
        probabilities: (images, classes), rows sum to 1.

    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    low, high = wilson(correct, len(labels))
    numbers = list(range(len(classes)))
    by_class = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    return {
        "accuracy": correct / len(labels),
        "accuracy_low": low,
        "accuracy_high": high,
        "log_loss": float(log_loss(labels, probabilities, labels=numbers)),
        "roc_auc": _roc_auc(labels, probabilities),
        "expected_calibration_error": calibration_error(labels, probabilities),
        "images": len(labels),
        "correct": correct,
        "per_class": {
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "images": int(n)}
            for name, p, r, f, n in zip(classes, *by_class, strict=True)
        },
    }


def reliability(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[tuple[float, float, int]]:
    """For each occupied bin of confidence: mean confidence, accuracy, images."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        (float(confidence[bins == bin_].mean()), float(right[bins == bin_].mean()), int((bins == bin_).sum()))
        for bin_ in np.unique(bins)
    ]


def calibration_error(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Expected calibration error (Naeini et al., 2015): mean gap of confidence and accuracy over equal bins."""
    table = reliability(labels, probabilities)
    return sum(images * abs(confidence - accuracy) for confidence, accuracy, images in table) / len(labels)


def _roc_auc(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Area under the ROC curve; for more than two classes the mean over one against the rest."""
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(labels, probabilities[:, 1]))
    return float(roc_auc_score(labels, probabilities, multi_class="ovr"))
