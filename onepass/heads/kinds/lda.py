"""Linear discriminant analysis: a closed form in which each class is a cloud around its mean, all of one shape.

With few photos it is on a par with training (Wang et al., "A Hard-to-Beat Baseline for Training-free CLIP-based
Adaptation", ICLR 2024, arXiv 2402.04087), from which the way to estimate the inverse of the covariance is taken.
"""

import numpy as np
from numpy.typing import NDArray

from onepass.heads.dataset import Dataset, transformed, weight_of_class
from onepass.heads.folds import FOLDS, folds_by_class
from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.inference import figures
from onepass.heads.sections import AnyTraining, ScaledFeatures
from onepass.heads.standardised import standardised
from onepass.heads.trained_head import Arrays, TrainedHead

SHARPNESS = (1e-3, 1e3)  # the least and the most that logits may be multiplied by


def fit_lda(task: FitTask) -> TrainedHead:
    """Fitted at once; validation images have no say in it."""
    data = transformed(task.data, task.empty.inputs)
    weights = fit_discriminant(data, task.empty.logits, task.train.class_weights, task.train.seed)
    head = task.empty._replace(weights=weights, trained_parameters=sum(array.size for array in weights))
    task.log(figures(head, task.data), figures(head, task.validation))
    return head


def fit_discriminant(data: Dataset, logits: int, class_weights: str, seed: int) -> Arrays:
    """Kernel (values, logits) and bias (logits,).

    Clouds overlap more than their estimated shapes say, so logits are multiplied by what gives the lowest log loss on
    images left out: the inverse of a temperature.

    Args:
        data: features (rows, values); every class at least once. Views of an image are never torn apart by a fold.
        logits: 1 for a sigmoid, else the number of classes.
        class_weights: none (a class is as likely as it is in training) | balanced (all are as likely).

    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):  # for the same bytes on any number of cores
        scaled = standardised(data.features)
        turned = data._replace(features=scaled.features)
        kernel, bias = _discriminant(turned.features, turned.labels, scaled.values, class_weights)
        sharpness = _sharpness(turned, scaled.values, class_weights, seed)
        kernel, bias = kernel * sharpness, bias * sharpness
        if logits == 1:
            kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
        return scaled.unfolded(kernel, bias, logits)


def _discriminant(
    features: NDArray[np.float64], labels: NDArray[np.int64], values: int, class_weights: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel (dimensions, classes) and bias (classes,) of the logits.

    With the covariance S inside the classes, of n rows and k classes, the inverse is taken to be
    values * ((n - k) S + trace(S) I)^-1, which exists however few rows there are.

    Args:
        features: (rows, dimensions).
        values: that a row had before it was turned into its dimensions; in the others, all rows are 0.

    """
    counts = np.bincount(labels)
    means = np.stack([features[labels == number].mean(axis=0) for number in range(len(counts))])
    inside = features - means[labels]
    scatter = inside.T @ inside
    freedom = max(len(labels) - len(counts), 1)
    # Where nothing varies inside the classes, as with an image of each: what all values vary, which are standardised.
    spread = np.trace(scatter) / freedom or float(values)
    kernel = values * np.linalg.solve(scatter + spread * np.eye(len(scatter)), means.T)
    shares = counts * weight_of_class(class_weights, labels)
    return kernel, np.log(shares / shares.sum()) - (means.T * kernel).sum(axis=0) / 2


def _sharpness(data: Dataset, values: int, class_weights: str, seed: int) -> float:
    """What the logits of images left out are best multiplied by; 1 where an image of each class cannot be left out."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - takes a quarter of a second
    from scipy.special import logsumexp  # noqa: PLC0415

    features, labels, images = data
    first_rows = np.unique(images, return_index=True)[1]
    image_labels = labels[first_rows]
    folds = min(FOLDS, int(np.bincount(image_labels).min()))
    if folds < 2:
        return 1.0
    fold = folds_by_class(image_labels, folds, seed)[np.searchsorted(images[first_rows], images)]
    logits = np.empty((len(labels), len(np.bincount(labels))))
    for number in range(folds):
        kernel, bias = _discriminant(features[fold != number], labels[fold != number], values, class_weights)
        logits[fold == number] = features[fold == number] @ kernel + bias
    each = weight_of_class(class_weights, labels)[labels]

    def loss(logarithm: float) -> float:
        sharp = logits * np.exp(logarithm)
        return float(each @ (logsumexp(sharp, axis=1) - sharp[np.arange(len(labels)), labels]))

    best = minimize_scalar(loss, bounds=np.log(SHARPNESS), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(best.x))


register_head(HeadKind("lda", ScaledFeatures, AnyTraining, fit_lda, whole=True))
