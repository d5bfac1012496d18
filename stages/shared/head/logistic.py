"""The logistic head: scikit-learn's logistic regression, as the arrays of a linear head."""

from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from stages.shared.head.head import Arrays
from stages.shared.head.labelled import Labelled
from stages.shared.params import Train

STRENGTHS = np.logspace(-5, 1, 7)  # candidates for C, the inverse of the L2 penalty
FOLDS = 5


class Logistic(NamedTuple):
    """A fitted logistic regression."""

    weights: Arrays  # kernel (values, logits), bias (logits,)
    strength: float  # the C that cross-validation chose


def fit_logistic(data: Labelled, logits: int, train: Train) -> Logistic:
    """Chooses C by the log loss in a cross-validation inside the training images, then fits all of them.

    Features are standardised first, and the standardising is folded into the kernel.

    Args:
        data: features (rows, values); every class at least once. Views of an image are never torn apart by a fold.
        logits: 1 for a sigmoid, else the number of classes.

    """
    scaler = StandardScaler().fit(data.features)
    standardised = scaler.transform(data.features)
    # With more values than rows the best kernel is a combination of rows, so it is sought among those alone.
    basis = None if data.features.shape[1] <= len(data.features) else np.linalg.qr(standardised.T)[0]
    if basis is not None:
        standardised = standardised @ basis
    weight = None if train.class_weights == "none" else "balanced"
    model = LogisticRegression(class_weight=weight, max_iter=1000, warm_start=True)
    with threadpool_limits(1):  # products this small only make threads wait for one another
        strength = _best_strength(model, data._replace(features=standardised), train.seed)
        model.set_params(C=strength, warm_start=False).fit(standardised, data.labels)

    kernel = (model.coef_.T if basis is None else basis @ model.coef_.T) / scaler.scale_[:, None]
    bias = model.intercept_ - scaler.mean_ @ kernel
    if logits == 2:  # scikit-learn gives two classes one logit, the difference of the two that a softmax wants
        kernel, bias = np.hstack([-kernel / 2, kernel / 2]), np.hstack([-bias / 2, bias / 2])
    return Logistic([kernel.astype(np.float32), bias.astype(np.float32)], strength)


def _best_strength(model: LogisticRegression, data: Labelled, seed: int) -> float:
    """The C with the lowest log loss on images left out."""
    features, labels, images = data
    first_rows = np.unique(images, return_index=True)[1]
    image_labels = labels[first_rows]
    folds = min(FOLDS, int(np.bincount(image_labels).min()))
    if folds < 2:  # the one image of a class cannot be left out and predicted
        return float(STRENGTHS[len(STRENGTHS) // 2])
    losses = np.zeros(len(STRENGTHS))
    for _, left_out in StratifiedKFold(folds, shuffle=True, random_state=seed).split(first_rows, image_labels):
        out = np.isin(images, left_out)
        for place, strength in enumerate(STRENGTHS):  # from strong to weak: each fit starts from the one before
            model.set_params(C=strength).fit(features[~out], labels[~out])
            losses[place] += log_loss(labels[out], model.predict_proba(features[out]), normalize=False)
    return float(STRENGTHS[losses.argmin()])
