"""Is one classifier better than another, judged by their answers on the same images? And the correction for many such
questions.

A classifier that was trained with several seeds counts as one: of each image it has the share of its seeds that
are right. What is found holds for these trained heads; other seeds may move it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.statistics.intervals import LEVEL

RESAMPLES = 10_000


class Paired(NamedTuple):
    """How much better a first classifier is than a second on the same images."""

    difference: float  # of the accuracies, -1..1; above 0: the first is better
    low: float  # 95 % interval of the difference
    high: float
    p: float  # probability of a difference at least as large if the two were equal, in either direction


def paired_test(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
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
    from scipy.signal import convolve  # noqa: PLC0415 - scipy.stats costs a second
    from scipy.stats import binom  # noqa: PLC0415

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
