"""evaluate: what the head says of every image, and how good that is on images that did not train it.

Reads   images.csv, splits.csv, data/features/, data/head/ and the curves of the training.
Writes  metrics/metrics.json     the scores of the evaluated split
        metrics/predictions.csv  every image: hash, file, split, label, predicted, a probability a class
        metrics/confusion.csv    label and prediction of each evaluated image
        metrics/reliability.csv  confidence against accuracy
        metrics/findings.json    what to look at: name, evidence, advice
"""

import csv
import sys
import time
from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.durable import write_json, write_whole
from stages.shared.errors import UserError
from stages.shared.features import open_store, read_features
from stages.shared.findings import findings
from stages.shared.head import Head, read_head
from stages.shared.near_copies import near_copies
from stages.shared.params import load_params
from stages.shared.run_log import key_of, record
from stages.shared.scoring import reliability, scores
from stages.shared.tables import Assignment, Image, read_rows, table

CHUNK = 1024  # images whose features are in memory at once
OPTIMISTIC = "validation chose the best epoch too, so this accuracy is somewhat optimistic"


def main(prepared: Path, features: Path, head_folder: Path, curves: Path, out: Path) -> None:
    start = time.perf_counter()
    params = load_params()
    images = read_rows(prepared / "images.csv", Image)
    files = {row.hash: row.file for row in reversed(images)}
    rows = read_rows(prepared / "splits.csv", Assignment)
    head = read_head(head_folder)
    if unknown := sorted({row.label for row in rows} - set(head.classes)):
        raise UserError(f"{head_folder} knows the classes {head.classes}, not {unknown}. Run `dvc repro`.")

    probabilities = predict(head, features, rows)
    labels = np.array([head.classes.index(row.label) for row in rows])
    splits = np.array([row.split for row in rows])
    split = "test" if "test" in splits else "validation"
    evaluated = splits == split
    metrics = {
        **scores(labels[evaluated], probabilities[evaluated], head.classes),
        "split": split,
        "chose_the_epoch": split == "validation" and head.best_epoch > 0,
        "best_epoch": head.best_epoch,
        "epochs": head.epochs,
    }

    predicted = [head.classes[number] for number in probabilities.argmax(axis=1)]
    cells = [
        (row.hash, files[row.hash], row.split, row.label, guess, *(f"{p:.6f}" for p in chances))
        for row, guess, chances in zip(rows, predicted, probabilities, strict=True)
    ]
    columns = ["hash", "file", "split", "label", "predicted", *(f"p_{name}" for name in head.classes)]
    write_whole(out / "predictions.csv", table(columns, sorted(cells, key=itemgetter(1))))
    pairs = [(row.label, guess) for row, guess in zip(rows, predicted, strict=True) if row.split == split]
    write_whole(out / "confusion.csv", table(["label", "predicted"], pairs))
    curve = reliability(labels[evaluated], probabilities[evaluated])
    write_whole(out / "reliability.csv", table(["confidence", "accuracy", "images"], curve))
    write_json(out / "metrics.json", metrics)

    trained = splits == "train"
    store = open_store(features)
    noticed = findings(
        params.train,
        metrics,
        losses=validation_losses(curves),
        correct=int((labels == probabilities.argmax(axis=1))[trained].sum()),
        labels=Counter(row.label for row in rows if row.split == "train"),
        images=images,
        fingerprint=store.fingerprint,
        copies=near_copies(features, store, rows, split),
    )
    write_json(out / "findings.json", [finding._asdict() for finding in noticed])
    record("evaluate", key_of((out / "predictions.csv").read_bytes()), {"seconds": time.perf_counter() - start})
    print(sentence(metrics))
    for finding in noticed:
        print(f"{finding.name}: {finding.evidence} {finding.advice}")


def predict(head: Head, features: Path, rows: list[Assignment]) -> NDArray[np.float64]:
    """(images, classes). Reads the features a few parts at a time, so that memory stays flat."""
    store = open_store(features)
    hashes = [row.hash for row in rows]
    chunks = [hashes[start : start + CHUNK] for start in range(0, len(hashes), CHUNK)]
    maps = network_of(head)
    return np.concatenate([head.probabilities(maps(read_features(features, store, chunk))) for chunk in chunks])


def network_of(head: Head) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """What the head does before its dense layers; most heads do nothing, and need no TensorFlow."""
    if head.network is None:
        return lambda features: features
    from stages.shared.head_network import HeadNetwork  # noqa: PLC0415 - imports TensorFlow

    return HeadNetwork(head)


def validation_losses(curves: Path) -> list[float]:
    """The validation loss of each epoch, from dvclive's folder; empty where none was written."""
    path = curves / "plots" / "metrics" / "validation" / "loss.tsv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file, delimiter="\t")]


def sentence(metrics: dict[str, float | str | bool]) -> str:
    """The result as a person would say it."""
    text = (
        f"accuracy {metrics['accuracy']:.4f} (95 % interval {metrics['accuracy_low']:.4f} to "
        f"{metrics['accuracy_high']:.4f}) on {metrics['images']} {metrics['split']} images"
    )
    return f"{text}; {OPTIMISTIC}" if metrics["chose_the_epoch"] else text


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
