"""predictions.csv: a row an image, with its label, what was predicted, and a probability a class.

Probabilities have nine digits that count, 3.14159265e-12, so that log loss and AUC can be computed from the file.

The one place that knows its columns: written row by row, summarised for pages in memory that does not grow with it,
and read for comparisons. With a million images and a thousand classes the file has nine gigabytes, nearly all of it
probabilities that no page shows: only the lines of mistakes are taken apart.
"""

import csv
import hashlib
import heapq
import io
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from onepass.core import HashList, RowFile, UserError, batched, find, packed, write_csv
from onepass.heads import OnBatch
from onepass.photos import SPLITS, AssignmentTable, Image

BUFFER = 1 << 20  # bytes; a row may have nine thousand
TOGETHER = 1 << 16  # images that are predicted at once
READ = 1024  # rows of images.csv at once


class Prediction(NamedTuple):
    """The first cells of a row: an image, what it is, and what the head says."""

    hash: str
    file: str
    split: str
    label: str
    predicted: str


class Watcher(Protocol):
    """Who looks at features when the head does."""

    def evaluated(self, hashes: Sequence[str], features: NDArray[Any], chances: NDArray[np.float64]) -> None:
        """Images of the evaluated split: features (images, *shape), and what the head says, (images, classes)."""

    def training(self, hashes: Sequence[str], features: NDArray[Any]) -> None:
        """Images that trained."""


class Predicted(NamedTuple):
    """What a head says of every image."""

    all: RowFile  # probabilities of each image, (classes,): with a thousand classes, a million images have gigabytes
    evaluated: NDArray[np.float64]  # of the images of the evaluated split, (images, classes), in the order given
    correct: int  # training images that it has right


def predict_images(
    predict: Callable[[Sequence[str], OnBatch | None], NDArray[np.float64]],
    rows: AssignmentTable,
    classes: list[str],
    evaluated: str,
    watchers: Sequence[Watcher],
    folder: Path,
) -> Predicted:
    """What a head says of every image.

    Each feature is read once: who else looks at it is shown it when the head is.

    Args:
        predict: see ``onepass.heads.predictor``.
        rows: of splits.csv.
        classes: of the head.
        evaluated: the split that is scored.
        watchers: are shown the evaluated images, in their order, and then those of training.
        folder: where there is room for a temporary file.

    """
    out = RowFile(folder, [len(classes)], np.float64)
    scored, trained = rows.are_in(evaluated), rows.are_in("train")
    judged, done, correct = np.empty((int(scored.sum()), len(classes))), 0, 0

    def show_evaluated(hashes: Sequence[str], features: NDArray[Any], chances: NDArray[np.float64]) -> None:
        for watcher in watchers:
            watcher.evaluated(hashes, features, chances)

    def show_training(hashes: Sequence[str], features: NDArray[Any], _chances: NDArray[np.float64]) -> None:
        for watcher in watchers:
            watcher.training(hashes, features)

    for some, on_batch in ((scored, show_evaluated), (trained, show_training), (~scored & ~trained, None)):
        for start in range(0, len(rows), TOGETHER):
            places = start + np.flatnonzero(some[start : start + TOGETHER])
            if len(places):
                chances = predict(HashList(rows.hashes.packed[places]), on_batch)
                out.write(places, chances)
                if some is scored:
                    judged[done : done + len(places)] = chances
                    done += len(places)
                if some is trained:
                    correct += int((chances.argmax(axis=1) == rows.numbers(classes, places)).sum())
    return Predicted(out, judged, correct)


def write_predictions(
    path: Path,
    images: Iterable[Image],
    rows: AssignmentTable,
    classes: list[str],
    probabilities: RowFile,
) -> None:
    """A line for the first file of each image, in the order of the files.

    Args:
        images: rows of images.csv, gone through once.
        rows: of splits.csv.
        probabilities: of each row, (classes,).

    Raises:
        UserError: an image has no file.

    """
    columns = [*Prediction._fields, *(f"p_{name}" for name in classes)]
    write_csv(path, columns, _lines_of(images, rows, classes, probabilities))


def _lines_of(
    images: Iterable[Image], rows: AssignmentTable, classes: list[str], probabilities: RowFile
) -> Iterator[list[str]]:
    missing = np.ones(len(rows), bool)
    for some in batched(images, READ):
        places = find(rows.hashes.packed, packed(image.hash for image in some)).tolist()
        first = []
        for image, place in zip(some, places, strict=True):
            if place >= 0 and missing[place]:
                missing[place] = False
                first.append((image, place))
        found = probabilities.read(np.array([place for _, place in first], np.intp))
        for (image, place), chances in zip(first, found, strict=True):
            row, predicted = rows[place], classes[chances.argmax()]
            yield [row.hash, image.file, row.split, row.label, predicted, *(f"{chance:.9g}" for chance in chances)]
    if missing.any():
        raise UserError(
            f"images.csv has no file of {missing.sum()} of the images in splits.csv. Run `dvc repro --force prepare`."
        )


class Answer(NamedTuple):
    """A prediction of an evaluated image; of two that are as confident, the smaller one is the later row."""

    confidence: float  # probability of what was predicted, 0..1
    row: int  # counted down from 0
    prediction: Prediction
    chance: float  # probability of the label, 0..1


class PredictionSummary(NamedTuple):
    """What a page shows of all predictions."""

    sha256: str  # of the file
    classes: list[str]
    images: NDArray[np.int64]  # (classes, 3): how many in each of ``SPLITS``
    confusion: NDArray[np.int64]  # (labels, predicted): images of the evaluated split
    mistakes: list[Answer]  # of the evaluated split, the most confident first
    samples: dict[str, list[Prediction]]  # by class: its images with the smallest hashes
    cells: dict[tuple[str, str], list[Answer]]  # by label and prediction: some of ``confusion``, the surest first


def summarise_predictions(
    path: Path, evaluated: str, mistakes: int, samples: int, in_cell: int = 0
) -> PredictionSummary:
    """Reads the file once.

    Args:
        evaluated: the split of which confusion and mistakes are wanted.
        mistakes: how many of them to keep.
        samples: how many images of each class to keep, from whatever split.
        in_cell: how many of the images of the evaluated split to keep for each label and prediction.

    Raises:
        UserError: the file is missing, or is not what evaluate writes.

    """
    digest = hashlib.sha256()
    number = 1
    try:
        with path.open("rb", buffering=BUFFER) as file:
            lines = _lines(file, digest)
            classes = [name.removeprefix("p_") for name in _cells(next(lines, b""))[len(Prediction._fields) :]]
            numbers = {name: number for number, name in enumerate(classes)}
            images = np.zeros((len(classes), len(SPLITS)), np.int64)
            confusion = np.zeros((len(classes), len(classes)), np.int64)
            worst: list[Answer] = []
            smallest: dict[str, list[Prediction]] = {name: [] for name in classes}
            cells: dict[tuple[str, str], list[Answer]] = {}
            for number, line in enumerate(lines, 2):
                row, chances = _split(line, len(classes))
                label, predicted = numbers[row.label], numbers[row.predicted]
                images[label, SPLITS.index(row.split)] += 1
                _keep_smallest(smallest[row.label], row, samples)
                if row.split == evaluated:
                    confusion[label, predicted] += 1
                    if label != predicted or in_cell:
                        answer = Answer(_cell(chances, predicted), -number, row, _cell(chances, label))
                        _keep_largest(cells.setdefault((row.label, row.predicted), []), answer, in_cell)
                        _keep_largest(worst, answer, mistakes if label != predicted else 0)
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise UserError(
            f"{path}, row {number}, cannot be read: {type(error).__name__} {error}. `dvc repro` writes this file; "
            "`dvc pull` fetches it from the team's remote."
        ) from error
    kept = {cell: sorted(answers, reverse=True) for cell, answers in cells.items()}
    worst.sort(reverse=True)
    return PredictionSummary(digest.hexdigest(), classes, images, confusion, worst, smallest, kept)


def _lines(file: IO[bytes], digest: Any) -> Iterator[bytes]:
    """The rows as they stand in the file; a quoted name may hold line breaks."""
    for first in file:
        line = first
        while b'"' in line and line.count(b'"') % 2 and (more := file.readline()):
            line += more
        digest.update(line)
        yield line


def _split(line: bytes, classes: int) -> tuple[Prediction, bytes]:
    """The first cells of a row, and its probabilities still joined by commas. ValueError: too few or too many."""
    if b'"' in line:
        cells = _cells(line)
        first, chances = cells[: len(Prediction._fields)], ",".join(cells[len(Prediction._fields) :]).encode()
    else:
        *parts, chances = line.split(b",", len(Prediction._fields))
        first = [part.decode(errors="surrogateescape") for part in parts]
    if len(first) < len(Prediction._fields):
        raise ValueError(f"{len(first)} values before the probabilities")
    if chances.count(b",") + 1 != classes:
        raise ValueError(f"{chances.count(b',') + 1} probabilities for {classes} classes")
    return Prediction(*first), chances


def _cell(chances: bytes, number: int) -> float:
    return float(chances.split(b",", number + 1)[number])


def _cells(line: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(line.decode(errors="surrogateescape"), newline=""), strict=True), [])


def _keep_smallest(kept: list[Prediction], row: Prediction, most: int) -> None:
    if len(kept) < most or row.hash < kept[-1].hash:
        insort(kept, row)
        del kept[most:]


def _keep_largest(heap: list[Answer], answer: Answer, most: int) -> None:
    if most:
        (heapq.heappush if len(heap) < most else heapq.heappushpop)(heap, answer)


class Answers(NamedTuple):
    """What a comparison needs of predictions: the evaluated images, and which of them are right."""

    labels: dict[str, str]  # of each image by hash, sorted
    right: NDArray[np.bool_]  # (images,), in that order
    digest: str  # of all that was said of all images, whatever their files are called and in whatever order


def read_answers(file: IO[bytes], split: str, of_file: Any) -> Answers:
    """The answers for the images of ``split``, read once; no more than a row and those answers is in memory.

    Args:
        of_file: a hash that all bytes of the file are added to, also where they cannot be understood.

    Raises:
        ValueError, csv.Error: this is no predictions.csv, or it has no image of the split.

    """
    lines = _lines(file, of_file)
    try:
        columns = _cells(next(lines, b""))
        own, classes = tuple(columns[: len(Prediction._fields)]), columns[len(Prediction._fields) :]
        if own != Prediction._fields:
            raise ValueError(f"columns {', '.join(own)}; expected {', '.join(Prediction._fields)}")
        said = _number_of(repr(classes).encode())
        evaluated = {}
        for line in lines:
            row, chances = _split(line, len(classes))
            # Sums do not depend on the order, which is that of the files: photos that moved are the same photos.
            said += _number_of(repr(row._replace(file="")).encode() + chances.rstrip(b"\r\n"))
            if row.split == split:
                evaluated[row.hash] = row.label, row.label == row.predicted
    finally:
        deque(lines, maxlen=0)
    if not evaluated:
        raise ValueError(f"no {split} image")
    labels = {hash_: evaluated[hash_][0] for hash_ in sorted(evaluated)}
    right = np.array([evaluated[hash_][1] for hash_ in labels])
    return Answers(labels, right, f"{said % 2**256:064x}")


def _number_of(content: bytes) -> int:
    """Its SHA-256 as a number."""
    return int.from_bytes(hashlib.sha256(content).digest())
