"""The page of a run: its result and whether to trust it, for people, in one file that needs no network.

Its bytes depend on what the stages wrote and on params.yaml alone, so that results and page belong together; but for
the photos, which are shown if they are there. How this machine ran, and when, is not told.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.core import UserError, sha256_of_files
from onepass.evaluation import (
    read_abstentions,
    read_classes,
    read_curve,
    read_findings,
    read_metrics,
    read_nearest,
    read_reliability,
    summarise_predictions,
)
from onepass.features import open_store
from onepass.heads import HELD, read_head
from onepass.photos import Image, read_rows
from onepass.report.curve_chart import curve_chart, is_logarithmic
from onepass.report.page import render
from onepass.report.tables import (
    MATRIX_CLASSES,
    by_split,
    class_scores,
    confused_pairs,
    confusion_matrix,
    coverage_picture,
    headline,
    refusals,
    reliability_table,
)
from onepass.report.thumbnails import thumbnails

MISTAKES = 24  # that are shown
SAMPLES = 24  # photos that show what the classes look like, all classes together
SAMPLES_OF_A_CLASS = 6
IN_CELL = 12  # photos behind a number of the confusion matrix
SMALL, LARGE = 160, 320  # pixels of a sample's and of a mistake's longer side: about twice what the page gives them


def run_report(
    prepared: Path,
    features: Path,
    head: Path,
    training: Path,
    metrics_folder: Path,
    settings: Mapping[str, Any],
    root: Path,
) -> bytes:
    """The page of what the stages left in these folders, UTF-8; photos may be missing.

    Args:
        settings: the params of the run, by section.key.
        root: the folder to which the names of photos are relative.

    Raises:
        UserError: a file that every run writes is missing, unreadable or of another version.

    """
    metrics_file = metrics_folder / "metrics.json"
    if not metrics_file.is_file():
        raise UserError(f"{metrics_file} is missing. `dvc repro` writes it; `dvc pull` fetches it.")
    metrics = read_metrics(metrics_file.read_bytes(), metrics_file)
    classes = read_classes(metrics_folder / "classes.csv")
    each = max(1, min(SAMPLES // len(classes), SAMPLES_OF_A_CLASS))
    in_cell = IN_CELL if len(classes) <= MATRIX_CLASSES else 0
    predictions = summarise_predictions(metrics_folder / "predictions.csv", metrics.split, MISTAKES, each, in_cell)
    matrix = confusion_matrix(predictions)
    nearest = read_nearest(metrics_folder / "nearest.csv")
    samples = dict(list(predictions.samples.items())[:SAMPLES])
    small = [(row.hash, row.file) for rows in samples.values() for row in rows]
    behind = [answer.prediction for _, row in matrix or [] for cell in row for answer in cell.photos]
    small += [(row.hash, row.file) for row in behind]
    small += [
        (near.training_hash, near.file)
        for mistake in predictions.mistakes
        for near in nearest.get(mistake.prediction.hash, [])
    ]
    large = [(mistake.prediction.hash, mistake.prediction.file) for mistake in predictions.mistakes]
    curves = [read_curve(training, name) for name in ("loss", "accuracy")]
    bins = read_reliability(metrics_folder / "reliability.csv")
    abstentions, coverage = read_abstentions(metrics_folder)
    return render(
        "report.html",
        metrics=metrics,
        headline=headline(metrics, predictions),
        store=open_store(features),
        head=read_head(head),
        findings=read_findings(metrics_folder / "findings.json"),
        predictions=predictions,
        files=sum(1 for _ in read_rows(prepared / "images.csv", Image)),
        by_split=by_split(predictions),
        samples=samples,
        small=thumbnails(root, small, SMALL),
        large=thumbnails(root, large, LARGE),
        refusals=refusals(prepared / "quarantine.csv"),
        curves=[(curve, curve_chart(curve, metrics.best_epoch), is_logarithmic(curve)) for curve in curves],
        matrix=matrix,
        nearest=nearest,
        pairs=confused_pairs(predictions),
        class_scores=class_scores(classes),
        reliability=reliability_table(bins, metrics.images),
        abstentions=abstentions,
        coverage=coverage,
        coverage_chart=coverage_picture(coverage),
        promised=HELD,
        settings=settings,
        splits_sha256=sha256_of_files(prepared / "splits.csv"),
    )
