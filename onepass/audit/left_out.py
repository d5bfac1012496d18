"""The files of what cheap heads said of photos that they had no part of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from onepass.audit.learning_curve import Point
from onepass.audit.photo_audit import Audit
from onepass.core import RowFile, write_csv, write_json
from onepass.evaluation import write_predictions
from onepass.photos import AssignmentTable, Image

DECIMALS = 6


def write_left_out(folder: Path, audit: Audit, rows: AssignmentTable, images: Sequence[Image]) -> None:
    """Writes left_out.csv, the mean of all heads of each photo, left_out.json, how good each head is, and
    learning_curve.csv, how good the better one is with fewer photos, and may be with more.

    Args:
        rows: of splits.csv.
        images: of each of them, its first file.

    """
    judging = rows.are_in(audit.split)
    judged = AssignmentTable(row for row, left in zip(rows, judging, strict=True) if not left)
    files = (image for image, left in zip(images, judging, strict=True) if not left)
    probabilities = np.mean([one.probabilities for one in audit.left_out], axis=0)
    chances = RowFile(folder, [len(audit.photos.classes)], probabilities.dtype)
    chances.write(np.arange(len(judged)), probabilities)
    write_predictions(folder / "left_out.csv", files, judged, audit.photos.classes, chances)
    found = {}
    for one in audit.left_out:
        accuracy, low, high = one.accuracy()
        loss = one.log_loss(audit.photos.labels)
        figures = {"accuracy": accuracy, "accuracy_low": low, "accuracy_high": high, "log_loss": loss}
        found[one.kind] = {name: round(value, DECIMALS) for name, value in figures.items()}
    write_json(folder / "left_out.json", {"left_out": found})
    points = ((point.images, *("" if n is None else f"{n:.6f}" for n in point[1:])) for point in audit.curve)
    write_csv(folder / "learning_curve.csv", Point._fields, points)
