"""The interval of an accuracy that a repeated cross-validation has found."""

from collections.abc import Sequence

import numpy as np

from onepass.statistics.intervals import LEVEL, wilson


def corrected_interval(accuracies: Sequence[float], left_out: float, images: int) -> tuple[float, float]:
    """95 % interval of the mean accuracy of all folds of all repeats.

    Folds share most of their training images, so their spread says too little. Nadeau and Bengio ("Inference for the
    Generalization Error", Machine Learning 52, 2003) take the variance of the mean of J folds for
    (1/J + left out / kept) times the variance of a fold. That of a fold is taken for no less than chance alone gives so
    many images. It is turned into the number of independent images that would be as uncertain, for Wilson's interval:
    honest near 1, too, where all folds are right.

    Args:
        accuracies: of each fold of each repeat.
        left_out: the share of the images that a fold leaves out, 0..1.
        images: that each repeat has predicted.

    """
    accuracy = float(np.mean(accuracies))
    of_mean = 1 / len(accuracies) + left_out / (1 - left_out)
    of_fold = max(float(np.var(accuracies, ddof=1)), accuracy * (1 - accuracy) / (left_out * images))
    worth = accuracy * (1 - accuracy) / (of_mean * of_fold) if of_fold > 0 else left_out * images / of_mean
    return wilson(accuracy, max(worth, 1.0))


def corrected_difference(differences: Sequence[float], left_out: float) -> tuple[float, float]:
    """95 % interval of the mean difference of two accuracies in the same folds of the same repeats.

    The corrected resampled t-test of Nadeau and Bengio (2003), as an interval.

    Args:
        differences: of each fold of each repeat.
        left_out: the share of the images that a fold leaves out, 0..1.

    """
    from scipy.special import stdtrit  # noqa: PLC0415 - costs 0.1 s

    count = len(differences)
    variance = float(np.var(differences, ddof=1)) * (1 / count + left_out / (1 - left_out))
    margin = float(stdtrit(count - 1, 1 - LEVEL / 2)) * variance**0.5
    middle = float(np.mean(differences))
    return middle - margin, middle + margin
