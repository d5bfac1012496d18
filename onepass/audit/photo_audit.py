"""All that stands out of photos whose features are stored, and how well they can be told apart."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.audit import copies as copies_of
from onepass.audit import flaws
from onepass.audit.copies import Copies, find_copies, groups_of
from onepass.audit.label_suspects import are_suspect, without_doubted
from onepass.audit.learning_curve import Point, learning_curve, sentence
from onepass.audit.neighbours import Neighbours, directions, nearest
from onepass.audit.outliers import are_outliers, distances
from onepass.audit.photo_map import Place, photo_map
from onepass.audit.repeated_cross_validation import FeatureTable, LeftOut, cross_validate
from onepass.audit.table import KINDS, AuditRow, in_order
from onepass.core import bounded_map, progress_bar
from onepass.evaluation import pooled
from onepass.features import Store, read_features
from onepass.heads import CHEAP_HEADS, chosen_rows
from onepass.photos import AssignmentTable, Image, LocatedView, PixelReader, View, is_remote, threads_for

REPEATS = 5
SEED = 0  # of the folds: the same photos give the same answer
READ = 4096  # rows of features at once
DECIMALS = 4


class Accuracies(NamedTuple):
    """Of the photos that are evaluated: all of them, and those whose label is not suspect."""

    images: int
    before: float
    suspects: int
    after: float


class Audit(NamedTuple):
    """What was found."""

    rows: list[AuditRow]
    photos: FeatureTable  # outside the evaluated split
    left_out: list[LeftOut]  # of each cheap head
    split: str  # that is evaluated
    evaluated: Accuracies
    recall: float  # of the search for neighbours
    curve: list[Point]  # of the head with the lowest log loss
    similar: dict[str, list[int]]  # by hash of a suspect: the numbers of the training photos that are most like it
    places: list[Place]  # of some photos on a map
    labels: list[str]  # of all photos

    def sentences(self) -> list[str]:
        """What was found, for people."""
        lines = []
        for one in self.left_out:
            accuracy, low, high = one.accuracy()
            lines.append(
                f"{one.kind}: accuracy {accuracy:.4f} (95 % interval {low:.4f} to {high:.4f}) on "
                f"{len(one.probabilities)} images, each left out {len(one.accuracies) // one.folds} times"
            )
        lines.append(sentence(self.curve))
        for kind, rows in self.by_kind().items():
            lines.append(f"{kind}: {len({row.hash for row in rows})} photos")
        if self.recall < 1:
            lines.append(
                f"copies and outliers: each photo was compared with those near some others only, which found "
                f"{self.recall:.1%} of the true neighbours of a sample"
            )
        if self.evaluated.suspects:
            lines.append(
                f"of the {self.evaluated.images} {self.split} images {self.evaluated.suspects} have a suspect label: "
                f"accuracy {self.evaluated.before:.4f} with them, {self.evaluated.after:.4f} without, which flatters"
            )
        return lines

    def by_kind(self) -> dict[str, list[AuditRow]]:
        """The rows of each kind that there are, in the order of the table."""
        ordered = in_order(self.rows)
        return {kind: rows for kind in KINDS if (rows := [row for row in ordered if row.kind == kind])}


def audit_photos(
    rows: AssignmentTable, evaluated: str, images: Sequence[Image], folder: Path, store: Store, root: Path
) -> Audit:
    """Looks at all photos.

    Args:
        rows: of splits.csv.
        evaluated: the split that evaluate scores.
        images: of each of ``rows``, its first file.
        folder: of the features.
        root: the folder to which names of files are relative.

    Raises:
        UserError: a class has too few photos, or a photo is not there any more.

    """
    features = pooled_features(rows, folder, store)
    seen = look_at(images, int(store.fingerprint["image_side"]), root)
    vectors = directions(features)
    neighbours = nearest(vectors)
    small = PixelReader(root, (copies_of.READ, copies_of.READ, 3), "scaled")
    pairs = find_copies(vectors, neighbours, seen.signatures, lambda number: small.pixels(_located(images[number])))
    groups = groups_of([pair[:2] for pair in pairs], [image.group for image in images])
    judging = rows.are_in(evaluated)
    photos = photos_of(rows, features, ~judging, groups)
    left_out = cross_validate(CHEAP_HEADS, photos, REPEATS, SEED)
    first = np.mean([one.probabilities for one in left_out], axis=0)
    losses = [one.log_loss(photos.labels) for one in left_out]
    curve = learning_curve(CHEAP_HEADS[int(np.argmin(losses))], photos, SEED)
    chances, trusted = without_doubted(CHEAP_HEADS, photos, first, SEED)
    labels = rows.numbers(photos.classes, slice(None))
    sure = np.empty((len(rows), len(photos.classes)))
    sure[~judging] = chances
    sure[judging] = _said_of(features[judging], photos, trusted)
    suspect = are_suspect(sure, labels)
    found = [
        *_label_rows(rows, images, photos.classes, sure, suspect),
        *_copy_rows(rows, images, pairs),
        *_outlier_rows(rows, images, nearest(directions(features, from_mean=False))),
        *(_row(rows, images, number, kind, "", score) for number, kind, score in seen.flaws),
    ]
    right = sure[judging].argmax(axis=1) == labels[judging]
    clean = ~suspect[judging]
    after = float(right[clean].mean()) if clean.any() else 0.0
    of_evaluated = Accuracies(len(right), float(right.mean()), int((~clean).sum()), after)
    training = rows.are_in("train")
    similar = {
        rows.hashes[number]: [place for place in neighbours.places[number].tolist() if place >= 0 and training[place]]
        for number in np.flatnonzero(suspect).tolist()
    }
    places, everyone = photo_map(vectors), [photos.classes[number] for number in labels.tolist()]
    return Audit(found, photos, left_out, evaluated, of_evaluated, neighbours.recall, curve, similar, places, everyone)


class Seen(NamedTuple):
    """What the pixels of all photos say."""

    signatures: NDArray[np.float32]  # (photos, values), see ``copies.signature``
    flaws: list[tuple[int, str, float]]  # number of the photo, kind, and what was measured


def look_at(images: Sequence[Image], side: int, root: Path) -> Seen:
    """Reads each photo once.

    Args:
        images: the files.
        side: in pixels, that the network is given.
        root: the folder to which names of files are relative.

    """
    reader = PixelReader(root, (flaws.SIDE, flaws.SIDE, 3), "scaled")

    def look(image: Image) -> tuple[NDArray[np.float32], list[tuple[str, float]]]:
        pixels = reader.pixels(_located(image))
        enlarged = min(image.width, image.height) < flaws.SIDE
        found = [
            *flaws.flaws_of_size(image.width, image.height, side),
            *flaws.flaws_of_pixels(pixels, enlarged),
        ]
        return copies_of.signature(pixels), found

    signatures = np.empty((len(images), copies_of.SIGNED**2), np.float32)
    found: list[tuple[int, str, float]] = []
    any_remote = any(is_remote(image.file) for image in images)
    with (
        ThreadPoolExecutor(threads_for(any_remote)) as threads,
        progress_bar(len(images), "photos", "photos") as bar,
    ):
        for number, (signed, flawed) in enumerate(bounded_map(threads, look, images)):
            signatures[number] = signed
            found += [(number, kind, score) for kind, score in flawed]
            bar.update()
    return Seen(signatures, found)


def pooled_features(rows: AssignmentTable, folder: Path, store: Store) -> NDArray[np.float32]:
    """The features of each photo, (photos, values); maps are averaged over height and width."""
    first = pooled(read_features(folder, store, rows.hashes[:1]))
    found = np.empty((len(rows), first.shape[1]), np.float32)
    with progress_bar(len(rows), "features", "photos") as bar:
        for start in range(0, len(rows), READ):
            piece = rows.hashes[start : start + READ]
            found[start : start + len(piece)] = pooled(read_features(folder, store, piece))
            bar.update(len(piece))
    return found


def photos_of(
    rows: AssignmentTable,
    features: NDArray[np.float32],
    chosen: NDArray[np.bool_],
    groups: Sequence[NDArray[np.intp]],
) -> FeatureTable:
    """The chosen photos, with what is left of the groups of all."""
    place = np.cumsum(chosen) - 1
    left = [place[group[chosen[group]]] for group in groups]
    classes = rows.labels
    return FeatureTable(
        features[chosen], rows.numbers(classes, chosen), classes, [group for group in left if len(group) > 1]
    )


def _said_of(features: NDArray[np.float32], photos: FeatureTable, trusted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What heads that were trained on the trusted ones of ``photos`` say of others, (others, classes)."""
    kept = trusted if len(np.unique(photos.labels[trusted])) == len(photos.classes) else np.ones_like(trusted)
    rows, labels = chosen_rows(photos.features, np.flatnonzero(kept)), photos.labels[kept]
    heads = [head.trained_on(rows, labels, photos.classes, SEED) for head in CHEAP_HEADS]
    return np.asarray(np.mean([says(features) for says in heads], axis=0))


def _located(image: Image) -> LocatedView:
    return LocatedView(image.file, View(image.hash, 0))


def _row(
    rows: AssignmentTable, images: Sequence[Image], number: int, kind: str, suggested: str, score: float
) -> AuditRow:
    row = rows[number]
    return AuditRow(row.hash, images[number].file, row.split, row.label, kind, suggested, score)


def _label_rows(
    rows: AssignmentTable,
    images: Sequence[Image],
    classes: list[str],
    chances: NDArray[np.float64],
    suspect: NDArray[np.bool_],
) -> Iterator[AuditRow]:
    for number in np.flatnonzero(suspect).tolist():
        doubt = 1 - float(chances[number, classes.index(rows[number].label)])
        yield _row(rows, images, number, "label", classes[int(chances[number].argmax())], round(doubt, DECIMALS))


def _copy_rows(rows: AssignmentTable, images: Sequence[Image], pairs: Sequence[Copies]) -> Iterator[AuditRow]:
    for first, second, likeness in pairs:
        yield _row(rows, images, second, "copy", images[first].file, likeness)


def _outlier_rows(rows: AssignmentTable, images: Sequence[Image], neighbours: Neighbours) -> Iterator[AuditRow]:
    far = distances(neighbours)
    for number in np.flatnonzero(are_outliers(far)).tolist():
        yield _row(rows, images, number, "outlier", "", round(float(far[number]), DECIMALS))
