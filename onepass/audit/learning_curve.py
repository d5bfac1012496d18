"""How many more photos: what fewer of them would have given, and a range of what more may bring.

A range and never a number, and for four times as many photos at most: extrapolated curves misjudge (Viering and Loog,
"The Shape of Learning Curves: a Review"; Mahmood and others, arXiv 2207.01725).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.audit.repeated_cross_validation import FeatureTable, fold_count
from onepass.core import cores, progress_bar
from onepass.evaluation import folds_of_groups
from onepass.heads import CheapHead, chosen_rows, said_of_rows, share_by_class
from onepass.statistics import corrected_interval

DOUBLINGS = 3  # before all photos: an eighth, a quarter, a half
REPEATS = 3
FEWEST_OF_CLASS = 2  # of the photos that are trained on


class Point(NamedTuple):
    """What a head reaches with so many photos: measured, or where more may lead."""

    images: int
    accuracy: float | None  # None where it is not measured
    low: float
    high: float


def learning_curve(head: CheapHead, photos: FeatureTable, seed: int) -> list[Point]:
    """Measured with shares of the photos, always judged by the same photos left out; then with twice and four times as
    many: from no gain at all to as much again as the last doubling brought, each with the uncertainty of now.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    folds = fold_count(photos)
    dealt = [folds_of_groups(photos.labels, photos.groups, folds, seed + repeat) for repeat in range(REPEATS)]
    tasks = [
        (doublings, fold == number, repeat)
        for doublings in range(DOUBLINGS, -1, -1)
        for repeat, fold in enumerate(dealt)
        for number in range(folds)
    ]

    def accuracy(task: tuple[int, NDArray[np.bool_], int]) -> float:
        doublings, out, repeat = task
        kept, share = np.flatnonzero(~out), 0.5**doublings
        chosen = share_by_class(photos.labels, kept, share, seed + repeat, FEWEST_OF_CLASS)
        rows = chosen_rows(photos.features, chosen)
        says = head.trained_on(rows, photos.labels[chosen], photos.classes, seed)
        said = said_of_rows(says, photos.features, np.flatnonzero(out))
        return float((said.argmax(axis=1) == photos.labels[out]).mean())

    found = []
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(cores()) as threads,
        progress_bar(len(tasks), "learning curve", "fits") as bar,
    ):
        for one in threads.map(accuracy, tasks):
            found.append(one)
            bar.update()
    by_share = np.array(found).reshape(DOUBLINGS + 1, REPEATS * folds)
    return points_of(by_share, len(photos.labels), folds)


def points_of(by_share: NDArray[np.float64], images: int, folds: int) -> list[Point]:
    """The points of a curve.

    Args:
        by_share: accuracies of each fold, (shares, folds of all repeats), each share twice the one before.
        images: all there are.
        folds: of a repeat.

    """
    means = by_share.mean(axis=1)
    points = []
    for mean, accuracies, halvings in zip(means, by_share, range(len(means) - 1, -1, -1), strict=True):
        low, high = corrected_interval(accuracies.tolist(), 1 / folds, images)
        points.append(Point(round(images * 0.5**halvings), float(mean), low, high))
    now, gain = points[-1], max(float(means[-1] - means[-2]), 0.0)
    points += [Point(images * 2**n, None, now.low, min(now.high + n * gain, 1.0)) for n in (1, 2)]
    return points


def sentence(points: Sequence[Point]) -> str:
    """What more photos may bring, for people."""
    now = next(point for point in reversed(points) if point.accuracy is not None)
    twice, four = points[-2:]
    return (
        f"with all {now.images} photos accuracy {now.accuracy:.4f}; with twice as many between {twice.low:.3f} and "
        f"{twice.high:.3f}, with four times as many between {four.low:.3f} and {four.high:.3f}"
    )
