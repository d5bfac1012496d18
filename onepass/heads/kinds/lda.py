"""Linear discriminant analysis: a closed form in which each class is a cloud around its mean, all of one shape.

With few photos it is on a par with training (Wang et al., "A Hard-to-Beat Baseline for Training-free CLIP-based
Adaptation", ICLR 2024, arXiv 2402.04087), from which the way to estimate the inverse of the covariance is taken.
"""

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.heads.dataset import Dataset, transformed, weight_of_class
from onepass.heads.folds import FOLDS, folds_by_class
from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.inference import figures
from onepass.heads.sections import AnyTraining, ScaledFeatures
from onepass.heads.standardised import ScaledRows, pieces_of, standardised
from onepass.heads.temperature import best_temperature
from onepass.heads.trained_head import Arrays, TrainedHead

SMALLEST = 1e-12  # of what all rows vary: less is rounding


def fit_lda(task: FitTask) -> TrainedHead:
    """Fitted at once; validation images have no say in it."""
    data = transformed(task.data, task.empty.inputs)
    weights, temperature = fit_discriminant(data, task.empty.logits, task.train.class_weights, task.train.seed)
    trained = sum(array.size for array in weights)
    head = task.empty._replace(weights=weights, trained_parameters=trained, temperature=temperature)
    task.log(figures(head, task.data), figures(head, task.validation))
    return head


class Discriminant(NamedTuple):
    """What tells the clouds apart."""

    weights: Arrays  # kernel (values, logits), bias (logits,)
    temperature: float | None  # that they have been divided by; None: no image could be left out to choose one


def fit_discriminant(data: Dataset, logits: int, class_weights: str, seed: int) -> Discriminant:
    """Fitted at once.

    Clouds overlap more than their estimated shapes say, so logits are divided by the temperature that is best on images
    left out.

    Args:
        data: features (rows, values); every class at least once. Views of an image are never torn apart by a fold.
        logits: 1 for a sigmoid, else the number of classes.
        class_weights: none (a class is as likely as it is in training) | balanced (all are as likely).

    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):  # for the same bytes on any number of cores
        scaled = standardised(data.features)
        fold = _folds(data, seed)
        clouds = _clouds_of_folds(scaled.features, data.labels, fold)
        everyone = reduce(_Clouds.plus, clouds)
        kernel, bias = _discriminant(everyone, scaled.values, class_weights, everyone.freedom)
        temperature = None
        if len(clouds) > 1:
            logits_out = np.empty((len(data.labels), len(bias)))
            others = [everyone.without(some) for some in clouds]
            of_fold = [_discriminant(some, scaled.values, class_weights, everyone.freedom) for some in others]
            for place, rows in pieces_of(scaled.features):
                for number, (own_kernel, own_bias) in enumerate(of_fold):
                    out = fold[place] == number
                    logits_out[place][out] = rows[out] @ own_kernel + own_bias
            temperature = best_temperature(
                logits_out, data.labels, weight_of_class(class_weights, data.labels)[data.labels]
            )
            kernel, bias = kernel / temperature, bias / temperature
        if logits == 1:
            kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
        return Discriminant(scaled.unfolded(kernel, bias, logits), temperature)


class _Clouds(NamedTuple):
    """What is needed to know of the rows of each class; that of two sets of rows is the sum."""

    counts: NDArray[np.int64]  # (classes,)
    sums: NDArray[np.float64]  # (classes, dimensions)
    products: NDArray[np.float64]  # (dimensions, dimensions): the sum of the outer products of all rows

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the covariance inside the classes."""
        return max(int(self.counts.sum()) - len(self.counts), 1)

    def plus(self, more: "_Clouds") -> "_Clouds":
        return _Clouds(self.counts + more.counts, self.sums + more.sums, self.products + more.products)

    def without(self, some: "_Clouds") -> "_Clouds":
        return _Clouds(self.counts - some.counts, self.sums - some.sums, self.products - some.products)


def _clouds_of_folds(
    features: NDArray[np.float64] | ScaledRows, labels: NDArray[np.int64], fold: NDArray[np.int64]
) -> list[_Clouds]:
    """Those of each fold, of features (rows, dimensions)."""
    classes, folds = int(labels.max()) + 1, int(fold.max()) + 1
    found: list[list[_Clouds]] = [[] for _ in range(folds)]
    for place, rows in pieces_of(features):
        for number, some in enumerate(found):
            inside = fold[place] == number
            fresh = _clouds(rows[inside], labels[place][inside], classes)
            some[:] = [some[0].plus(fresh) if some else fresh]
    return [some for (some,) in found]


def _clouds(rows: NDArray[np.float64], labels: NDArray[np.int64], classes: int) -> _Clouds:
    """Of rows (rows, dimensions) and their labels, which need not have all classes."""
    sums = np.stack([rows[labels == number].sum(axis=0) for number in range(classes)])
    return _Clouds(np.bincount(labels, minlength=classes), sums, rows.T @ rows)


def _discriminant(
    clouds: _Clouds, values: int, class_weights: str, freedom: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel (dimensions, classes) and bias (classes,) of the logits.

    With the covariance S inside the classes, of n rows and k classes, the inverse is taken to be
    values * ((n - k) S + trace(S) I)^-1, which exists however few rows there are.

    Args:
        clouds: each with at least one row.
        values: that a row had before it was turned into its dimensions; in the others, all rows are 0.
        freedom: of all rows: logits of a part of them, which would be larger by their share, are as large as theirs.

    """
    counts, rows = clouds.counts, int(clouds.counts.sum())
    means = clouds.sums / counts[:, None]
    scatter = clouds.products - clouds.sums.T @ means
    spread = np.trace(scatter) / clouds.freedom
    # Where nothing varies inside the classes, as with an image of each: what all values vary, which are standardised.
    if spread <= SMALLEST * np.trace(clouds.products) / rows:
        spread = float(values)
    scatter.flat[:: len(scatter) + 1] += spread
    kernel = np.asarray(values * clouds.freedom / freedom * np.linalg.solve(scatter, means.T), np.float64)
    shares = counts * weight_of_class(class_weights, np.repeat(np.arange(len(counts)), counts))
    return kernel, np.log(shares / shares.sum()) - (means.T * kernel).sum(axis=0) / 2


def _folds(data: Dataset, seed: int) -> NDArray[np.int64]:
    """The fold of each row, all rows of an image in one; one fold where an image of each class cannot be left out."""
    first_rows = np.unique(data.images, return_index=True)[1]
    image_labels = data.labels[first_rows]
    folds = min(FOLDS, int(np.bincount(image_labels).min()))
    if folds < 2:
        return np.zeros(len(data.labels), np.int64)
    return folds_by_class(image_labels, folds, seed)[np.searchsorted(data.images[first_rows], data.images)]


register_head(HeadKind("lda", ScaledFeatures, AnyTraining, fit_lda, whole=True))
