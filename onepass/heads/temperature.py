"""Probabilities that are as high as they are right: logits divided by one number, chosen on photos that were left out.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv 1706.04599.
"""

import numpy as np
from numpy.typing import NDArray

RANGE = (1e-3, 1e3)  # the least and the most that logits may be divided by


def best_temperature(
    logits: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """That with the lowest log loss.

    Where all of a few photos are right, no probability would be too high. So each label is believed with
    (n + 1) / (n + 2) only, as Platt (1999) does it, n being the number of photos.

    Args:
        logits: of photos that trained nothing, (images, classes); logarithms of probabilities are logits, too.
        labels: (images,), numbers of classes.
        weights: what each image counts, (images,); None: all the same.

    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - takes a quarter of a second
    from scipy.special import logsumexp  # noqa: PLC0415

    images, classes = logits.shape
    each = np.ones(images) if weights is None else weights
    doubt = 1 / (images + 2) * classes / (classes - 1)  # of which the label itself gets its share back
    expected = (1 - doubt) * logits[np.arange(images), labels] + doubt * logits.mean(axis=1)

    def loss(logarithm: float) -> float:
        sharpness = np.exp(-logarithm)
        return float(each @ (logsumexp(logits * sharpness, axis=1) - expected * sharpness))

    found = minimize_scalar(loss, bounds=np.log(RANGE), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))
