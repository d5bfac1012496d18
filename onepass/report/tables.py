"""The tables of the report: what a person wants to see first of data that may have a thousand classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from onepass.evaluation import Answer, ClassMetrics, CoveragePoint, Metrics, PredictionSummary, ReliabilityBin
from onepass.photos import Quarantined, read_rows
from onepass.report.charts import (
    Axis,
    coverage_chart,
    interval_bar,
    interval_chart,
    reliability_chart,
    round_down,
)
from onepass.report.page import decimals_for, percent
from onepass.statistics import wilson

ROWS = 30  # of a table, at most
MATRIX_CLASSES = 20  # up to which a matrix can be read
IN_CELLS = 160  # photos behind the numbers of the matrix, all together
EXAMPLES = 3  # files of each reason in quarantine


class Cell(NamedTuple):
    """A cell of the confusion matrix."""

    predicted: str
    images: int
    right: bool
    share: float  # of the label's images, 0..1
    photos: list[Answer]  # some of the images


def headline(metrics: Metrics, predictions: PredictionSummary) -> dict[str, Any]:
    """The accuracy as text and as a picture, beside what always answering the commonest class would reach."""
    low, high = metrics.accuracy_low, metrics.accuracy_high
    decimals = decimals_for(high - low)
    accuracy, lower, upper = (percent(value, decimals) for value in (metrics.accuracy, low, high))
    by_label = predictions.confusion.sum(axis=1)
    baseline = float(by_label.max() / by_label.sum())
    text = f"Accuracy {accuracy}, 95 % interval {lower} to {upper}; the baseline is {percent(baseline)}"
    return {
        "accuracy": accuracy,
        "low": lower,
        "high": upper,
        "commonest": predictions.classes[by_label.argmax()],
        "baseline": percent(baseline),
        "chart": interval_chart(text, metrics.accuracy, low, high, baseline),
    }


def by_split(predictions: PredictionSummary) -> list[tuple[str, list[int]]]:
    """Images of each class in each split, and all together; the smallest classes first where not all fit."""
    rows = [(name, row.tolist()) for name, row in zip(predictions.classes, predictions.images, strict=True)]
    return rows if len(rows) <= ROWS else sorted(rows, key=lambda row: sum(row[1]))[:ROWS]


def refusals(quarantine: Path) -> list[tuple[str, list[Quarantined], int]]:
    """Each reason with some of its files and their number, the commonest first."""
    by_reason: dict[str, list[Quarantined]] = {}
    for row in read_rows(quarantine, Quarantined):
        by_reason.setdefault(row.reason, []).append(row)
    ordered = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return [(reason, rows[:EXAMPLES], len(rows)) for reason, rows in ordered]


def confusion_matrix(predictions: PredictionSummary) -> list[tuple[str, list[Cell]]] | None:
    """A row a label, a cell a predicted class; None where there are too many classes to read it."""
    if len(predictions.classes) > MATRIX_CLASSES:
        return None
    shares = predictions.confusion / np.maximum(predictions.confusion.sum(axis=1, keepdims=True), 1)
    shown = max(1, IN_CELLS // max(len(predictions.cells), 1))

    def cell(row: int, column: int) -> Cell:
        label, predicted = predictions.classes[row], predictions.classes[column]
        photos = predictions.cells.get((label, predicted), [])[:shown]
        images, share = int(predictions.confusion[row, column]), float(shares[row, column])
        return Cell(predicted, images, row == column, share, photos)

    numbers = range(len(predictions.classes))
    return [(name, [cell(row, column) for column in numbers]) for row, name in enumerate(predictions.classes)]


def confused_pairs(predictions: PredictionSummary) -> tuple[list[tuple[str, str, int, float]], int]:
    """Label, prediction, images and their share of the label's, the most images first; and how many pairs there are."""
    wrong = predictions.confusion.copy()
    np.fill_diagonal(wrong, 0)
    of_label = predictions.confusion.sum(axis=1)
    labels, predicted = np.nonzero(wrong)
    order = np.argsort(-wrong[labels, predicted], kind="stable")[:ROWS]
    pairs = [
        (predictions.classes[i], predictions.classes[j], int(wrong[i, j]), float(wrong[i, j] / of_label[i]))
        for i, j in zip(labels[order], predicted[order], strict=True)
    ]
    return pairs, len(labels)


class ClassScore(NamedTuple):
    """How well one class was told from the others."""

    scores: ClassMetrics
    bar: Markup  # recall with its interval


def class_scores(classes: Sequence[ClassMetrics]) -> tuple[list[ClassScore], float]:
    """The classes, the lowest recall first, and where their bars begin; they end at 1."""
    lowest = sorted(classes, key=lambda scores: (scores.recall, scores.label))[:ROWS]
    intervals = [wilson(scores.recall, scores.images) for scores in lowest]
    start = round_down(min(low for low, _ in intervals))
    across = Axis(start, 1, 6, 154)
    rows = []
    for scores, interval in zip(lowest, intervals, strict=True):
        text = " to ".join(map(percent, interval))
        rows.append(ClassScore(scores, interval_bar(text, scores.recall, *interval, across)))
    return rows, start


def coverage_picture(points: Sequence[CoveragePoint]) -> Markup:
    """Accuracy of the surest answers by the share of the photos that they are."""
    said = (f"{percent(point.accuracy)} of the surest {percent(point.coverage, 0)}" for point in points)
    text = f"Accuracy by share of the photos: {'; '.join(said)}"
    return coverage_chart(text, [(point.coverage, point.accuracy, point.low, point.high) for point in points])


def reliability_table(
    bins: Sequence[ReliabilityBin], images: int
) -> tuple[Markup, Sequence[tuple[float, float, float, float, int]]]:
    """The diagram, and its numbers: mean confidence, accuracy, its 95 % interval, images."""
    rows = [(sure, right, *wilson(right, count), count) for sure, right, count in bins]
    text = "Accuracy by confidence: " + "; ".join(
        f"{percent(sure)} sure, {percent(right)} right, {percent(count / images)} of the photos"
        for sure, right, _, _, count in rows
    )
    return reliability_chart(text, [(*row[:4], row[4] / images) for row in rows]), rows
