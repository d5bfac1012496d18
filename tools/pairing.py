"""Is one classifier better than another, judged by their answers on the same images?

A classifier that was trained with several seeds counts as one: of each image it has the share of its seeds that
are right. What is found holds for these trained heads; other seeds may move it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve
from scipy.stats import binom, norm

LEVEL = 0.05  # p-values below it count; intervals hold the truth with a probability of 1 - LEVEL
RESAMPLES = 10_000


class Paired(NamedTuple):
    """How much better a first classifier is than a second on the same images."""

    difference: float  # of the accuracies, -1..1; above 0: the first is better
    low: float  # 95 % interval of the difference
    high: float
    p: float  # probability of a difference at least as large if the two were equal, in either direction


def compare(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Compares two classifiers.

    Args:
        first: (seeds, images), true where an answer is right.
        second: (other seeds, the same images in the same order).

    """
    unit = int(np.lcm(len(first), len(second)))  # in whole numbers, so that equal differences are equal
    gains = first.sum(axis=0) * (unit // len(first)) - second.sum(axis=0) * (unit // len(second))
    low, high = bootstrap(gains / unit)
    return Paired(float(gains.mean() / unit), low, high, sign_flip(gains))


def sign_flip(gains: NDArray[np.int64]) -> float:
    """p-value of the exact paired permutation test (Fisher, 1935), two-sided.

    If the classifiers are equal, each image's gain is as likely to be the other's: all 2^images choices of signs
    are equally likely. With a seed each, gains are -1, 0 and 1, and this is McNemar's exact test (McNemar, 1947).

    Args:
        gains: (images,), right answers of the first classifier minus those of the second, in a common unit.

    """
    sizes, counts = np.unique(np.abs(gains[gains != 0]), return_counts=True)
    distribution = np.ones(1)  # of the sum of those gains that keep a positive sign
    for size, count in zip(sizes, counts, strict=True):
        steps = np.zeros(size * count + 1)
        steps[::size] = binom.pmf(np.arange(count + 1), count, 0.5)
        distribution = convolve(distribution, steps)
    total = len(distribution) - 1
    sums = 2 * np.arange(total + 1) - total
    return float(np.clip(distribution[np.abs(sums) >= abs(gains.sum())].sum(), 0, 1))


def bootstrap(gains: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean gain, by the percentile bootstrap over images (Efron, 1979).

    Images with the same gain are alike, so drawing how many there are of each is drawing the images.
    """
    values, counts = np.unique(gains, return_counts=True)
    draws = np.random.default_rng(seed).multinomial(len(gains), counts / len(gains), size=RESAMPLES)
    low, high = np.quantile(draws @ values / len(gains), [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values corrected for their number, in the same order (Holm, 1979).

    The chance that any of those below LEVEL is a false alarm is at most LEVEL, whatever they have in common.
    """
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return corrected


def accuracy_interval(accuracy: float, images: int) -> tuple[float, float]:
    """95 % interval of an accuracy, or of a mean of accuracies on the same images (Wilson, 1927).

    For a mean over seeds it is rather too wide than too narrow: an image's share of right seeds varies less
    than a single answer that is as often right.
    """
    z = norm.ppf(1 - LEVEL / 2)
    centre = (accuracy + z**2 / (2 * images)) / (1 + z**2 / images)
    margin = z / (1 + z**2 / images) * np.sqrt(accuracy * (1 - accuracy) / images + z**2 / (4 * images**2))
    return max(0.0, float(centre - margin)), min(1.0, float(centre + margin))
