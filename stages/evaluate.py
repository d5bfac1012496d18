"""evaluate: what the head says of every image, and how good that is on images that did not train it.

Reads   images.csv, splits.csv, data/features/, data/head/ and the curves of the training.
Writes  metrics/metrics.json     the scores of the evaluated split
        metrics/predictions.csv  every image: hash, file, split, label, predicted, a probability a class
        metrics/confusion.csv    label and prediction of each evaluated image
        metrics/reliability.csv  confidence against accuracy
        metrics/findings.json    what to look at: name, evidence, advice
"""

import sys
import time
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

from onepass.core import UserError, run_stage, sha256_of_files, write_csv, write_json
from onepass.evaluation import (
    CopySearch,
    Metrics,
    PhotoFacts,
    ReliabilityBin,
    RunFacts,
    find_all,
    read_curve,
    reliability,
    score,
    write_predictions,
)
from onepass.features import open_store
from onepass.heads import predictor, read_head, read_head_plan
from onepass.machine_facts import record
from onepass.params import BackboneParams, read_params
from onepass.photos import Assignment, Image, read_rows


def main(prepared: Path, features: Path, head_folder: Path, curves: Path, out: Path) -> None:
    start = time.perf_counter()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # classes can have any name
    params = read_params()
    plan = read_head_plan(params, params.read(BackboneParams))
    rows = list(read_rows(prepared / "splits.csv", Assignment))
    head = read_head(head_folder)
    if unknown := sorted({row.label for row in rows} - set(head.classes)):
        raise UserError(f"{head_folder} knows the classes {head.classes}, not {unknown}. Run `dvc repro`.")
    split = "test" if any(row.split == "test" for row in rows) else "validation"
    evaluated, trained = (np.array([row.split == name for row in rows]) for name in (split, "train"))

    store = open_store(features)
    search = CopySearch(store.shape)
    predict = predictor(head, features, store)
    probabilities = np.empty((len(rows), len(head.classes)))
    # Each feature is read once: the search for near-copies sees it when the head does.
    for some, on_batch in ((evaluated, search.remember), (trained, search.compare), (~evaluated & ~trained, None)):
        probabilities[some] = predict([rows[number].hash for number in np.flatnonzero(some)], on_batch)
    copies = search.found()
    numbers = {name: number for number, name in enumerate(head.classes)}
    labels, predicted = np.array([numbers[row.label] for row in rows]), probabilities.argmax(axis=1)
    metrics = score(labels[evaluated], probabilities[evaluated], head.classes, split, head.best_epoch, head.epochs)

    photos = PhotoFacts(named={*chain(*copies.pairs)})
    images = photos.gathered_from(read_rows(prepared / "images.csv", Image))
    write_predictions(out / "predictions.csv", images, rows, head.classes, probabilities)
    pairs = ((rows[number].label, head.classes[predicted[number]]) for number in np.flatnonzero(evaluated))
    write_csv(out / "confusion.csv", ["label", "predicted"], pairs)
    bins = reliability(labels[evaluated], probabilities[evaluated])
    write_csv(out / "reliability.csv", ReliabilityBin._fields, bins)
    write_json(out / "metrics.json", metrics.model_dump())
    facts = RunFacts(
        plan=plan,
        metrics=metrics,
        losses=[loss for _, loss in read_curve(curves, "loss").lines.get("validation", [])],
        correct=int((labels == predicted)[trained].sum()),
        labels=Counter(row.label for row in rows if row.split == "train"),
        photos=photos,
        fingerprint=store.fingerprint,
        copies=copies,
    )
    findings = find_all(facts)
    write_json(out / "findings.json", [finding._asdict() for finding in findings])
    record("evaluate", sha256_of_files(out / "predictions.csv"), {"seconds": time.perf_counter() - start})
    print(sentence(metrics))
    for finding in findings:
        print(f"{finding.name}: {finding.evidence} {finding.advice}")


def sentence(metrics: Metrics) -> str:
    """The result as a person would say it."""
    text = (
        f"accuracy {metrics.accuracy:.4f} (95 % interval {metrics.accuracy_low:.4f} to {metrics.accuracy_high:.4f}) "
        f"on {metrics.images} {metrics.split} images"
    )
    optimistic = "; validation chose the best epoch too, so this accuracy is somewhat optimistic"
    return text + optimistic if metrics.chose_the_epoch else text


if __name__ == "__main__":
    run_stage(main)
