"""What cheap heads say of each photo that had no part in their training, several times over with other folds.

With few photos one split says little: a hundred of them are uncertain by ten points (arXiv 1706.07581). All of them,
each left out in turn, say as much as there is to know.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, cores, listed, progress_bar
from onepass.evaluation import folds_of_groups
from onepass.heads import CheapHead, chosen_rows, said_of_rows
from onepass.statistics import corrected_interval

FOLDS = 5  # at most, and as many as the smallest class has groups
FEWEST = 2


class FeatureTable(NamedTuple):
    """Photos to be judged, in memory."""

    features: NDArray[np.float32]  # (photos, values)
    labels: NDArray[np.int64]  # (photos,), numbers of classes
    classes: list[str]  # sorted
    groups: Sequence[NDArray[np.intp]]  # photos that belong together, of groups of two or more


class LeftOut(NamedTuple):
    """What heads of one kind said of the photos that they were not trained on."""

    kind: str
    probabilities: NDArray[np.float64]  # (photos, classes), the mean of the repeats
    accuracies: list[float]  # of each fold of each repeat
    folds: int

    def accuracy(self) -> tuple[float, float, float]:
        """The mean, and its 95 % interval."""
        interval = corrected_interval(self.accuracies, 1 / self.folds, len(self.probabilities))
        return float(np.mean(self.accuracies)), *interval

    def log_loss(self, labels: NDArray[np.int64]) -> float:
        """Mean over the photos, in nats; ``labels``: (photos,)."""
        own = self.probabilities[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(own, np.finfo(float).tiny)).mean())


def fold_count(photos: FeatureTable) -> int:
    """How many folds these photos allow. UserError: a class has too few for any."""
    belongs = np.arange(len(photos.labels))
    for group in photos.groups:
        belongs[group] = group[0]
    apart = [len(np.unique(belongs[photos.labels == number])) for number in range(len(photos.classes))]
    if min(apart) < FEWEST:
        lacking = [f"{name} has {n}" for name, n in zip(photos.classes, apart, strict=True) if n < FEWEST]
        raise UserError(
            "a cross-validation leaves photos of each class out and trains on others of it, so each needs two that are "
            f"no copies of each other and in different groups:\n{listed(lacking)}\nAdd photos of these classes."
        )
    return min(FOLDS, *apart)


def cross_validate(
    heads: Sequence[CheapHead],
    photos: FeatureTable,
    repeats: int,
    seed: int,
    trusted: NDArray[np.bool_] | None = None,
    what: str = "cross-validation",
) -> list[LeftOut]:
    """Each photo is predicted ``repeats`` times by each head, each time by one that was trained without its fold.

    Args:
        seed: of the folds.
        trusted: (photos,): only these are trained on; all are predicted.
        what: the name of the work, for the progress bar.

    Returns:
        For each head, in their order.

    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    folds = fold_count(photos)
    trusted = np.ones(len(photos.labels), bool) if trusted is None else trusted
    dealt = [folds_of_groups(photos.labels, photos.groups, folds, seed + repeat) for repeat in range(repeats)]
    tasks = [(head, fold == number) for head in heads for fold in dealt for number in range(folds)]

    def predict(task: tuple[CheapHead, NDArray[np.bool_]]) -> NDArray[np.float64]:
        head, out = task
        chosen = np.flatnonzero(_trained_on(photos.labels, out, trusted))
        rows = chosen_rows(photos.features, chosen)
        says = head.trained_on(rows, photos.labels[chosen], photos.classes, seed)
        return said_of_rows(says, photos.features, np.flatnonzero(out))

    found = []
    with (
        threadpool_limits(1),  # each fit sets it too, and puts back what it found
        ThreadPoolExecutor(cores()) as threads,
        progress_bar(len(tasks), what, "fits") as bar,
    ):
        said = threads.map(predict, tasks)
        for head in heads:
            probabilities, accuracies = np.zeros((len(photos.labels), len(photos.classes))), []
            for _, out in tasks[: repeats * folds]:  # the same ones for each head
                chances = next(said)
                probabilities[out] += chances / repeats
                accuracies.append(float((chances.argmax(axis=1) == photos.labels[out]).mean()))
                bar.update()
            found.append(LeftOut(head.kind, probabilities, accuracies, folds))
    return found


def _trained_on(labels: NDArray[np.int64], out: NDArray[np.bool_], trusted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The trusted ones that are not left out; of a class that would have none, those that are not trusted, too."""
    chosen = ~out & trusted
    for number in np.unique(labels[~out & ~trusted]):
        if not (labels[chosen] == number).any():
            chosen |= ~out & (labels == number)
    return chosen
