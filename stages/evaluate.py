"""evaluate: what the head says of every image, and how good that is on images that did not train it.

Reads   images.csv, splits.csv, data/features/, data/head/ and the curves of the training.
Writes  metrics/metrics.json     the scores of the evaluated split
        metrics/predictions.csv  every image: hash, file, split, label, predicted, a probability a class
        metrics/confusion.csv    label and prediction of each evaluated image
        metrics/reliability.csv  confidence against accuracy
        metrics/findings.json    what to look at: name, evidence, advice
        metrics/report.html      all of it for people; no DVC output (see stages/shared/report/report.py)
"""

import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.shared.durable import write_json
from stages.shared.errors import UserError
from stages.shared.findings.findings import findings
from stages.shared.findings.near_copies import CopySearch
from stages.shared.findings.photo_facts import photo_facts
from stages.shared.hashes import HashIndex, packed
from stages.shared.head.applying import predictor
from stages.shared.head.head import read_head
from stages.shared.params import load_params
from stages.shared.photos.tables import Assignment, Image, each_row, read_rows, write_table
from stages.shared.report.curves import read_curve
from stages.shared.report.report import write_report
from stages.shared.run_log import key_of_files, record
from stages.shared.scoring import reliability, scores
from stages.shared.store.features import open_store

OPTIMISTIC = "validation chose the best epoch too, so this accuracy is somewhat optimistic"


def main(prepared: Path, features: Path, head_folder: Path, curves: Path, out: Path) -> None:
    start = time.perf_counter()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # classes can have any name
    params = load_params()
    rows = read_rows(prepared / "splits.csv", Assignment)
    head = read_head(head_folder)
    if unknown := sorted({row.label for row in rows} - set(head.classes)):
        raise UserError(f"{head_folder} knows the classes {head.classes}, not {unknown}. Run `dvc repro`.")
    split = "test" if any(row.split == "test" for row in rows) else "validation"
    evaluated, trained = (np.array([row.split == name for row in rows]) for name in (split, "train"))

    store = open_store(features)
    search = CopySearch(store.shape)
    predict = predictor(head, features, store)
    probabilities = np.empty((len(rows), len(head.classes)))
    for some, see in ((evaluated, search.remember), (trained, search.compare), (~evaluated & ~trained, None)):
        probabilities[some] = predict([rows[number].hash for number in np.flatnonzero(some)], see)
    copies = search.found()
    predicted = probabilities.argmax(axis=1)
    numbers = {name: number for number, name in enumerate(head.classes)}
    labels = np.array([numbers[row.label] for row in rows])
    metrics = {
        **scores(labels[evaluated], probabilities[evaluated], head.classes),
        "split": split,
        "chose_the_epoch": split == "validation" and head.best_epoch > 0,
        "best_epoch": head.best_epoch,
        "epochs": head.epochs,
    }

    columns = ["hash", "file", "split", "label", "predicted", *(f"p_{name}" for name in head.classes)]
    images = each_row(prepared / "images.csv", Image)
    write_table(out / "predictions.csv", columns, predictions(images, rows, head.classes, predicted, probabilities))
    pairs = ((rows[number].label, head.classes[predicted[number]]) for number in np.flatnonzero(evaluated))
    write_table(out / "confusion.csv", ["label", "predicted"], pairs)
    curve = reliability(labels[evaluated], probabilities[evaluated])
    write_table(out / "reliability.csv", ["confidence", "accuracy", "images"], curve)
    write_json(out / "metrics.json", metrics)

    noticed = findings(
        params.train,
        metrics,
        losses=[loss for _, loss in read_curve(curves, "loss").lines.get("validation", [])],
        correct=int((labels == predicted)[trained].sum()),
        labels=Counter(row.label for row in rows if row.split == "train"),
        photos=photo_facts(each_row(prepared / "images.csv", Image), {*chain(*copies.pairs)}),
        fingerprint=store.fingerprint,
        copies=copies,
    )
    write_json(out / "findings.json", [finding._asdict() for finding in noticed])
    record("evaluate", key_of_files(out / "predictions.csv"), {"seconds": time.perf_counter() - start})
    print(sentence(metrics))
    for finding in noticed:
        print(f"{finding.name}: {finding.evidence} {finding.advice}")
    report(prepared, features, head_folder, curves, out)


def predictions(
    images: Iterable[Image],
    rows: list[Assignment],
    classes: list[str],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> Iterator[list[str]]:
    """The lines of predictions.csv, one for the first file of each image, in the order of the files.

    UserError: an image has no file.
    """
    index = HashIndex(packed(row.hash for row in rows), np.arange(len(rows)))
    missing = np.ones(len(rows), bool)
    for image in images:
        number = index.get(image.hash)
        if number is not None and missing[number]:
            missing[number] = False
            row, chances = rows[number], (f"{chance:.6f}" for chance in probabilities[number])
            yield [row.hash, image.file, row.split, row.label, classes[predicted[number]], *chances]
    if missing.any():
        raise UserError(
            f"images.csv has no file of {missing.sum()} of the images in splits.csv. Run `dvc repro --force prepare`."
        )


def report(prepared: Path, features: Path, head_folder: Path, curves: Path, out: Path) -> None:
    """Writes the page. Where it fails, the results above still stand, and DVC keeps them."""
    try:
        write_report(prepared, features, head_folder, curves, out)
    except (Exception, UserError) as error:  # noqa: BLE001 - whatever it is, it is told
        (out / "report.html").unlink(missing_ok=True)  # an earlier run's page would pass for this one's
        reason = error if isinstance(error, UserError) else traceback.format_exc()
        print(f"{out}/report.html was not written: {reason}\n`python -m tools.report` tries again.", flush=True)


def sentence(metrics: dict[str, float | str | bool]) -> str:
    """The result as a person would say it."""
    text = (
        f"accuracy {metrics['accuracy']:.4f} (95 % interval {metrics['accuracy_low']:.4f} to "
        f"{metrics['accuracy_high']:.4f}) on {metrics['images']} {metrics['split']} images"
    )
    return f"{text}; {OPTIMISTIC}" if metrics["chose_the_epoch"] else text


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
