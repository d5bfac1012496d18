"""The files of what cheap heads said of photos that they had no part of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from onepass.audit.photo_audit import Audit
from onepass.core import RowFile, write_json
from onepass.evaluation import write_predictions
from onepass.photos import AssignmentTable, Image

DECIMALS = 6


def write_left_out(folder: Path, audit: Audit, rows: AssignmentTable, images: Sequence[Image]) -> None:
    """Writes left_out.csv, the mean of all heads of each photo, and left_out.json, how good each head is.

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
    own = np.arange(len(judged)), audit.photos.labels
    found = {}
    for one in audit.left_out:
        accuracy, low, high = one.accuracy()
        loss = float(-np.log(np.maximum(one.probabilities[own], np.finfo(float).tiny)).mean())
        figures = {"accuracy": accuracy, "accuracy_low": low, "accuracy_high": high, "log_loss": loss}
        found[one.kind] = {name: round(value, DECIMALS) for name, value in figures.items()}
    write_json(folder / "left_out.json", {"left_out": found})
