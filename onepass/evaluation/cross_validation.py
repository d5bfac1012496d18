"""Cross-validation: what a head says of each photo when that photo had no part in its training.

As many heads are trained as there are folds, on stored features, so that it costs seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.core import HashList, UserError, progress_bar
from onepass.features import Store
from onepass.heads import Figures, HeadPlan, make_fit_task, predictor
from onepass.photos import AssignmentTable

FOLDS = 5  # at most, and as many as the smallest class has images
FEWEST = 3  # one fold is left out, the next chooses the epoch, and something has to be trained on


def predict_left_out(
    plan: HeadPlan,
    rows: AssignmentTable,
    views: int,
    groups: Sequence[str],
    features: Path,
    store: Store,
    layers_above: Callable[[], Any] | None,
) -> NDArray[np.float64]:
    """The probabilities of all images, (images, classes), each by the head that was trained without its fold.

    The fold after the one that is left out chooses the epoch, as validation images do in train-head, so that no image
    has a say in how it is judged itself.

    Args:
        rows: the images.
        views: of each training image, each of which has features.
        groups: of each image; images of one group share a fold.
        features: folder of the store.
        layers_above: see ``FitTask``.

    Raises:
        UserError: a class has too few images or groups.

    """
    labels = [row.label for row in rows]
    folds = fold_of_each(labels, groups, plan.train.seed)
    count = int(folds.max()) + 1
    probabilities = np.empty((len(rows), len(rows.labels)))
    with progress_bar(count, "probe", "folds") as bar:
        for left_out in range(count):
            splits = np.full(len(rows), "train", object)
            splits[folds == (left_out + 1) % count] = "validation"
            splits[folds == left_out] = "test"
            of_fold = AssignmentTable(row._replace(split=split) for row, split in zip(rows, splits, strict=True))
            head = plan.kind.fit(make_fit_task(plan, of_fold, views, features, store, layers_above, _unlogged))
            hashes = HashList(rows.hashes.packed[folds == left_out])
            probabilities[folds == left_out] = predictor(head, features, store)(hashes, None)
            bar.update()
    return probabilities


def fold_of_each(labels: Sequence[str], groups: Sequence[str], seed: int) -> NDArray[np.int64]:
    """The number of the fold of each image, 0 and up; every class is in every fold, as evenly as groups allow.

    Raises:
        UserError: a class has too few images or groups for that.

    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # noqa: PLC0415 - costs a second

    names, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    count = min(FOLDS, int(counts.min()))
    grouped = len(set(groups)) < len(groups)
    folds = np.full(len(labels), -1)
    if count >= FEWEST:
        kind = StratifiedGroupKFold if grouped else StratifiedKFold
        splitter = kind(count, shuffle=True, random_state=seed)
        for number, (_, left_out) in enumerate(splitter.split(members, members, groups if grouped else None)):
            folds[left_out] = number
    if missing := list(_missing(names, members, folds, count)):
        raise UserError(
            f"cross-validation leaves out a {count}th of the photos at a time and needs each class in every part: "
            f"{', '.join(missing)}. Add photos of these classes, in other groups than those that there are."
        )
    return folds


def _missing(
    names: NDArray[np.str_], members: NDArray[np.int64], folds: NDArray[np.int64], count: int
) -> Iterator[str]:
    """The classes that are not in every fold, with what they have."""
    for number, name in enumerate(names):
        images = members == number
        if count < FEWEST or len(np.unique(folds[images])) < count:
            yield f"{name} has {images.sum()} images outside the evaluated split"


def _unlogged(_trained: Figures, _judged: Figures) -> None:
    """The curves of folds are not kept."""
