"""The logistic head: scikit-learn's logistic regression, as the arrays of a linear head."""

from typing import Any, NamedTuple

import numpy as np

from onepass.heads.dataset import Dataset, transformed
from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.inference import figures
from onepass.heads.sections import AnyTraining, HeadSection
from onepass.heads.trained_head import Arrays, TrainedHead

STRENGTHS = np.logspace(-5, 1, 7)  # candidates for C, the inverse of the L2 penalty
FOLDS = 5


class Logistic(NamedTuple):
    """A fitted logistic regression."""

    weights: Arrays  # kernel (values, logits), bias (logits,)
    strength: float  # the C that cross-validation chose


def fit_logistic(task: FitTask) -> TrainedHead:
    """Fitted at once; validation images have no say in it."""
    data = transformed(task.data, task.empty.inputs)
    fitted = fit_regression(data, task.empty.logits, task.train.class_weights, task.train.seed)
    print(f"cross-validation chose C = {fitted.strength:g}")
    trained = sum(array.size for array in fitted.weights)
    head = task.empty._replace(weights=fitted.weights, trained_parameters=trained)
    task.log(figures(head, task.data), figures(head, task.validation))
    return head


def fit_regression(data: Dataset, logits: int, class_weights: str, seed: int) -> Logistic:
    """Chooses C by the log loss in a cross-validation inside the training images, then fits all of them.

    Features are standardised first, and the standardising is folded into the kernel.

    Args:
        data: features (rows, values); every class at least once. Views of an image are never torn apart by a fold.
        logits: 1 for a sigmoid, else the number of classes.
        class_weights: none | balanced.

    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - costs a second
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    scaler = StandardScaler().fit(data.features)
    standardised = scaler.transform(data.features)
    # With more values than rows the best kernel is a combination of rows, so it is sought among those alone.
    basis = None if data.features.shape[1] <= len(data.features) else np.linalg.qr(standardised.T)[0]
    if basis is not None:
        standardised = standardised @ basis
    weight = None if class_weights == "none" else "balanced"
    model = LogisticRegression(class_weight=weight, max_iter=1000, warm_start=True)
    with threadpool_limits(1):  # products this small only make threads wait for one another
        strength = _best_strength(model, data._replace(features=standardised), seed)
        model.set_params(C=strength, warm_start=False).fit(standardised, data.labels)

    kernel = (model.coef_.T if basis is None else basis @ model.coef_.T) / scaler.scale_[:, None]
    bias = model.intercept_ - scaler.mean_ @ kernel
    if logits == 2:  # scikit-learn gives two classes one logit, the difference of the two that a softmax wants
        kernel, bias = np.hstack([-kernel / 2, kernel / 2]), np.hstack([-bias / 2, bias / 2])
    return Logistic([kernel.astype(np.float32), bias.astype(np.float32)], strength)


def _best_strength(model: Any, data: Dataset, seed: int) -> float:
    """The C with the lowest log loss on images left out."""
    from sklearn.metrics import log_loss  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    features, labels, images = data
    first_rows = np.unique(images, return_index=True)[1]
    image_labels = labels[first_rows]
    folds = min(FOLDS, int(np.bincount(image_labels).min()))
    if folds < 2:  # the one image of a class cannot be left out and predicted
        return float(STRENGTHS[len(STRENGTHS) // 2])
    losses = np.zeros(len(STRENGTHS))
    # Over images, of which all rows go together; StratifiedGroupKFold does that too, but looks at each group in Python.
    for _, left_out in StratifiedKFold(folds, shuffle=True, random_state=seed).split(first_rows, image_labels):
        out = np.isin(images, left_out)
        for place, strength in enumerate(STRENGTHS):  # from strong to weak: each fit starts from the one before
            model.set_params(C=strength).fit(features[~out], labels[~out])
            losses[place] += log_loss(labels[out], model.predict_proba(features[out]), normalize=False)
    return float(STRENGTHS[losses.argmin()])


register_head(HeadKind("logistic", HeadSection, AnyTraining, fit_logistic, whole=True))
