"""Photos whose label is probably wrong: heads that were trained without a photo, and without what they doubt, disagree.

The idea is confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", JAIR 70, 2021): what a cross-validation says of each photo finds labels that are surely wrong, and training
again without those finds the others, which heads that were trained on wrong labels do not dare to contradict.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onepass.audit.repeated_cross_validation import FeatureTable, cross_validate
from onepass.heads import CheapHead

ROUNDS = 2  # of training again without what is doubted
REPEATS = 2  # of each cross-validation
# A label is suspect below this probability. Of 2,000 cats and dogs with 100 labels flipped, features of MobileNet: 91
# to 95 of them have less, and so have 17 in 1,000 photos where none is flipped.
DOUBT = 0.33


def without_doubted(
    heads: Sequence[CheapHead], photos: FeatureTable, probabilities: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What heads say of each photo that were trained without it and without doubted labels.

    Args:
        probabilities: (photos, classes), of a cross-validation with all labels.

    Returns:
        Probabilities, (photos, classes), and which labels are trusted, (photos,).

    """
    trusted = np.ones(len(photos.labels), bool)
    for number in range(ROUNDS):
        trusted = ~surely_wrong(probabilities, photos.labels)
        what = f"doubted labels, {number + 1} of {ROUNDS}"
        left_out = cross_validate(heads, photos, REPEATS, seed + 100 * (number + 1), trusted, what)
        probabilities = np.mean([one.probabilities for one in left_out], axis=0)
    return probabilities, trusted


def surely_wrong(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each photo is as probably of another class as the photos of that class are on the mean: (photos,).

    Labels that are merely doubted stay: where classes are hard to tell apart, many of those are right.
    """
    rows = np.arange(len(labels))
    own = probabilities[rows, labels]
    usual = np.array([own[labels == number].mean() for number in range(probabilities.shape[1])])
    others = np.where(probabilities >= usual, probabilities, -1)
    best = others.argmax(axis=1)
    return np.asarray((others[rows, best] >= 0) & (best != labels))


def are_suspect(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each photo probably has another label than its own: (photos,)."""
    own = probabilities[np.arange(len(labels)), labels]
    return np.asarray((own < DOUBT) & (probabilities.argmax(axis=1) != labels))
