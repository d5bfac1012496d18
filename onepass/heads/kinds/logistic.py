"""The logistic head: a regularised regression, fitted to the end, as the arrays of a linear head.

It is the one of scikit-learn, importing which takes longer than the fit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.heads.dataset import Dataset, transformed, weight_of_class
from onepass.heads.folds import FOLDS, folds_by_class, share_by_class
from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.inference import figures
from onepass.heads.sections import AnyTraining, ScaledFeatures
from onepass.heads.standardised import MANY, ScaledRows, pieces_of, standardised
from onepass.heads.temperature import best_temperature
from onepass.heads.trained_head import Arrays, TrainedHead

STRENGTHS = np.logspace(-5, 1, 7)  # candidates for C, the inverse of the L2 penalty
ENOUGH = 1.1  # times the lowest loss: weaker penalties are not looked at
NEAREST = 1e-4  # largest slope at a minimum, as scikit-learn has it
NEAR = 1e-3  # enough to tell which strength is best
ITERATIONS = 1000  # of the search for a minimum, at most
ENDED = 1  # scipy: at a limit, of iterations or of evaluations


class Logistic(NamedTuple):
    """A fitted logistic regression."""

    weights: Arrays  # kernel (values, logits), bias (logits,)
    strength: float  # the C that cross-validation chose
    converged: bool  # or the search was ended before it was at the minimum
    temperature: float | None  # best for images left out, and not in the weights; None: none could be left out


def fit_logistic(task: FitTask) -> TrainedHead:
    """Fitted at once; validation images have no say in it."""
    data = transformed(task.data, task.empty.inputs)
    fitted = fit_regression(data, task.empty.logits, task.train.class_weights, task.train.seed)
    print(f"cross-validation chose C = {fitted.strength:g}")
    trained = sum(array.size for array in fitted.weights)
    head = task.empty._replace(weights=fitted.weights, trained_parameters=trained, converged=fitted.converged)
    if fitted.temperature is not None:
        head = head.at_temperature(fitted.temperature)
    task.log(figures(head, task.data), figures(head, task.validation))
    return head


def fit_regression(data: Dataset, logits: int, class_weights: str, seed: int) -> Logistic:
    """Chooses C by the log loss in a cross-validation inside the training images, then fits all of them.

    Of many rows C is chosen on some. Features are standardised first, and the standardising is folded into the kernel.

    Args:
        data: features (rows, values); every class at least once. Views of an image are never torn apart by a fold.
        logits: 1 for a sigmoid, else the number of classes.
        class_weights: none | balanced.

    """
    import scipy.optimize  # noqa: F401, PLC0415 - takes a quarter of a second; the limit is for what is imported already
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):  # for the same bytes on any number of cores, on which small products only wait, too
        # With more values than rows the best kernel is a combination of rows, so it is sought among those alone.
        scaled = standardised(data.features)
        strength, temperature = _best_strength(_of_few(data, scaled.features, seed), class_weights, seed)
        found, converged = _minimum(scaled.features, data.labels, strength, class_weights)
        weights = scaled.unfolded(found[:-1], found[-1], logits)
    return Logistic(weights, strength, converged, temperature)


def _of_few(data: Dataset, scaled: NDArray[np.float64] | ScaledRows, seed: int) -> Dataset:
    """All of it on one scale; of many rows those of a share of the images of each class, drawn by ``seed``."""
    if not isinstance(scaled, ScaledRows):
        return data._replace(features=scaled)
    _, labels, images = data
    each, first_rows = np.unique(images, return_index=True)
    drawn = share_by_class(labels[first_rows], np.arange(len(each)), MANY / len(labels), seed, FOLDS)
    kept = np.flatnonzero(np.isin(images, each[drawn]))
    few = standardised(data.features[kept]).features
    return Dataset(few, labels[kept], images[kept])


def _best_strength(data: Dataset, class_weights: str, seed: int) -> tuple[float, float | None]:
    """The C with the lowest log loss on images left out, and the temperature that is best for what it says of them."""
    features, labels, images = data
    first_rows = np.unique(images, return_index=True)[1]
    image_labels = labels[first_rows]
    folds = min(FOLDS, int(np.bincount(image_labels).min()))
    if folds < 2:  # the one image of a class cannot be left out and predicted
        return float(STRENGTHS[len(STRENGTHS) // 2]), None
    fold_of_image = folds_by_class(image_labels, folds, seed)
    fold = fold_of_image[np.searchsorted(images[first_rows], images)]  # all rows of an image go together
    # Twice in a row and sorted by fold: all rows but those of a fold are a piece of it, and need no copy.
    order = np.argsort(fold, kind="stable")
    order = np.concatenate([order, order])
    features, labels = features[order], labels[order]
    ends = np.cumsum(np.bincount(fold))
    pieces = [
        (slice(end, start + ends[-1]), slice(start, end)) for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
    found: list[NDArray[np.float64] | None] = [None] * folds
    losses: list[float] = []
    best: list[NDArray[np.float64]] = []  # logits of each fold by the best strength
    for strength in STRENGTHS:  # from strong to weak: each fit starts from the one before
        said = []
        for number, (kept, out) in enumerate(pieces):
            fitted, _ = _minimum(features[kept], labels[kept], strength, class_weights, found[number], NEAR)
            said.append(_logits(features[out], fitted))
            found[number] = fitted
        losses.append(
            sum(float(_losses(logits, labels[out])[0].sum()) for logits, (_, out) in zip(said, pieces, strict=True))
        )
        if losses[-1] == min(losses):
            best = said
        if losses[-1] > ENOUGH * min(losses):
            break  # losses fall to the best strength and rise behind it, and the weakest take longest
    left_out = np.concatenate([labels[out] for _, out in pieces])
    each = weight_of_class(class_weights, left_out)[left_out]
    return float(STRENGTHS[np.argmin(losses)]), best_temperature(np.concatenate(best), left_out, each)


def _minimum(
    features: NDArray[np.float64] | ScaledRows,
    labels: NDArray[np.int64],
    strength: float,
    class_weights: str,
    start: NDArray[np.float64] | None = None,
    near: float = NEAREST,
) -> tuple[NDArray[np.float64], bool]:
    """The kernel and, in its last row, the bias with the lowest penalised loss: (values + 1, logits); and if it is."""
    from scipy.optimize import minimize  # noqa: PLC0415

    classes = int(labels.max()) + 1
    shape = features.shape[1] + 1, 1 if classes == 2 else classes
    each = weight_of_class(class_weights, labels)[labels]
    each /= each.sum()
    penalty = 1 / (strength * len(labels))

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        both = flat.reshape(shape)
        loss, gradient = penalty / 2 * (both[:-1] ** 2).sum(), np.vstack([penalty * both[:-1], np.zeros(shape[1])])
        for place, rows in pieces_of(features):
            losses, slopes = _losses(_logits(rows, both), labels[place])
            slopes = slopes[:, -shape[1] :] * each[place, None]
            gradient += np.vstack([rows.T @ slopes, slopes.sum(axis=0)])
            loss += each[place] @ losses
        return float(loss), gradient.ravel()

    options = {"maxiter": ITERATIONS, "maxls": 50, "gtol": near, "ftol": 64 * np.finfo(float).eps}
    first = np.zeros(shape) if start is None else start
    best = minimize(objective, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    # scipy calls it a failure, too, when nothing lower is found: that is the minimum, as far as 64 bits tell.
    return best.x.reshape(shape), best.status != ENDED


def _logits(features: NDArray[np.float64], both: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, classes), of kernel and bias (values + 1, logits)."""
    logits = features @ both[:-1] + both[-1]
    return np.hstack([np.zeros_like(logits), logits]) if both.shape[1] == 1 else logits  # a sigmoid: softmax of (0, z)


def _losses(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cross-entropy of each row, (rows,), and how it changes with its logits, (rows, classes)."""
    away = logits - logits.max(axis=1, keepdims=True)
    chances = np.exp(away)
    sums = chances.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    losses = np.log(sums[:, 0]) - away[rows, labels]
    chances /= sums
    chances[rows, labels] -= 1
    return losses, chances


register_head(HeadKind("logistic", ScaledFeatures, AnyTraining, fit_logistic, whole=True))
