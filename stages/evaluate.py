"""evaluate: what the head says of every image, and how good that is on images that did not train it.

Reads   images.csv, splits.csv, data/features/, data/head/ and the curves of the training.
Writes  metrics/metrics.json     the scores of the evaluated split
        metrics/predictions.csv  every image: hash, file, split, label, predicted, a probability a class
        metrics/classes.csv      precision, recall and F1 of each class
        metrics/confusion.csv    label and prediction of each evaluated image
        metrics/reliability.csv  confidence against accuracy
        metrics/findings.json    what to look at: name, evidence, advice
        metrics/near_copies.csv  each pair of an evaluated image and a training image that are nearly the same
        metrics/nearest.csv      the training images that are most like those that are predicted wrongly
        metrics/abstentions.json how often the head says that it does not know
        metrics/coverage.csv     accuracy of the answers that it is surest of
        metrics/labels.csv       all usable files with near-copies in one group, to be taken as data.root
"""

import sys
import time
from functools import partial
from pathlib import Path

from onepass.core import UserError, check_recorded, run_stage, sha256_of_files, write_json
from onepass.evaluation import (
    CopySearch,
    DistanceWatch,
    NearestTraining,
    PhotoFacts,
    RunFacts,
    find_all,
    predict_images,
    read_curve,
    score,
    write_abstentions,
    write_copy_tables,
    write_predictions,
    write_score_tables,
)
from onepass.features import open_store
from onepass.heads import predictor, read_head, read_head_plan
from onepass.machine_facts import record
from onepass.params import BackboneParams, read_params
from onepass.photos import Assignment, AssignmentTable, Image, evaluated_split, read_rows


def main(prepared: Path, features: Path, head_folder: Path, curves: Path, out: Path) -> None:
    start = time.perf_counter()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # classes can have any name
    check_recorded(prepared, head_folder, curves)
    params = read_params()
    plan = read_head_plan(params, params.read(BackboneParams))
    rows = AssignmentTable(read_rows(prepared / "splits.csv", Assignment))
    head, store = read_head(head_folder), open_store(features)
    if unknown := sorted(set(rows.labels) - set(head.classes)):
        raise UserError(f"{head_folder} knows the classes {head.classes}, not {unknown}. Run `dvc repro`.")
    split = evaluated_split(rows.splits)
    labels, predict = rows.numbers(head.classes, rows.are_in(split)), predictor(head, features, store)
    watchers = search, watch, nearest = CopySearch(store.shape), DistanceWatch(head), NearestTraining(labels)
    predicted = predict_images(predict, rows, head.classes, split, watchers, features.parent)
    copies = search.found()
    metrics = score(labels, predicted.evaluated, split, head.best_epoch, head.epochs)
    photos = PhotoFacts(named=nearest.hashes | {hash_ for pair in copies.pairs for hash_ in pair[1:]})
    images = partial(read_rows, prepared / "images.csv", Image)
    write_predictions(out / "predictions.csv", photos.gathered_from(images()), rows, head.classes, predicted.all)
    write_score_tables(out, labels, predicted.evaluated, head.classes)
    write_abstentions(out, head, labels, predicted.evaluated, watch.distances(), split)
    nearest.write(out / "nearest.csv", photos.files, rows)
    write_copy_tables(out, copies, photos.files, rows, images)
    write_json(out / "metrics.json", metrics.model_dump())
    losses = read_curve(curves, "loss").values("validation")
    sure, counts, means = float(predicted.evaluated.max(axis=1).mean()), rows.counts("train"), store.fingerprint
    ended, correct = head.converged, predicted.correct
    facts = RunFacts(plan, metrics, ended, losses, correct, counts, photos, sure, means, store.shape, copies)
    findings = find_all(facts)
    write_json(out / "findings.json", [finding._asdict() for finding in findings])
    record("evaluate", sha256_of_files(out / "predictions.csv"), {"seconds": time.perf_counter() - start})
    print(metrics.sentence, *(f"{name}: {evidence} {advice}" for name, evidence, advice in findings), sep="\n")


if __name__ == "__main__":
    run_stage(main)
