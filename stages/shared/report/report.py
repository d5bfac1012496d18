"""metrics/report.html: the result of a run and whether to trust it, for people, in one file that needs no network.

It is no DVC output: it tells how this machine ran and shows the photos that are on this disk, and neither may
decide whether results are the same.
"""

from pathlib import Path
from typing import Any

from stages.shared.durable import write_whole
from stages.shared.params import load_params
from stages.shared.photos.layouts import base
from stages.shared.report.curves import read_curve
from stages.shared.report.page import render
from stages.shared.report.predictions import read_predictions
from stages.shared.report.provenance import gather_facts, read_lock
from stages.shared.report.report_tables import (
    by_split,
    class_scores,
    confused_pairs,
    confusion_matrix,
    file_count,
    headline,
    read_json,
    refusals,
    reliability,
)
from stages.shared.report.thumbnails import thumbnails

MISTAKES = 24  # that are shown
SAMPLES = 24  # photos that show what the classes look like, all classes together
SAMPLES_OF_A_CLASS = 6
SMALL, LARGE = 160, 320  # pixels of a sample's and of a mistake's longer side: about twice what the page gives them
METRICS = ("accuracy", "accuracy_low", "accuracy_high", "images", "correct", "split", "chose_the_epoch", "best_epoch")


def write_report(prepared: Path, features: Path, head: Path, training: Path, out: Path) -> None:
    """Writes ``out/report.html`` from what the stages left in these folders; photos may be missing.

    Raises:
        UserError: a file that every run writes is missing, unreadable or of another version.

    """
    metrics = read_json(out / "metrics.json", *METRICS, "epochs", "per_class")
    each = max(1, min(SAMPLES // len(metrics["per_class"]), SAMPLES_OF_A_CLASS))
    predictions = read_predictions(out / "predictions.csv", metrics["split"], MISTAKES, each)
    samples = dict(list(predictions.samples.items())[:SAMPLES])
    root = base(load_params().data.root)
    small = [(row.hash, row.file) for rows in samples.values() for row in rows]
    large = [(mistake.prediction.hash, mistake.prediction.file) for mistake in predictions.mistakes]
    findings = out / "findings.json"
    content: dict[str, Any] = {
        "metrics": metrics,
        "headline": headline(metrics, predictions),
        "store": read_json(features / "fingerprint.json", "fingerprint", "weights_file"),
        "head": read_json(head / "head.json"),
        "findings": read_json(findings) if findings.is_file() else None,
        "predictions": predictions,
        "files": file_count(prepared / "images.csv"),
        "by_split": by_split(predictions),
        "samples": samples,
        "small": thumbnails(root, small, SMALL),
        "large": thumbnails(root, large, LARGE),
        "refusals": refusals(prepared / "quarantine.csv"),
        "curves": [read_curve(training, name) for name in ("loss", "accuracy")],
        "matrix": confusion_matrix(predictions),
        "pairs": confused_pairs(predictions),
        "class_scores": class_scores(metrics, predictions),
        "reliability": reliability(out / "reliability.csv", metrics["images"]),
        "recorded": read_lock(Path("dvc.lock")),
        "facts": gather_facts(prepared, features, head, predictions.sha256),
    }
    write_whole(out / "report.html", render("report.html", **content))
