"""The audit's repeated cross-validation of two heads, against scikit-learn's regression with a chosen strength.

2,800 photos of 1,024 values; both heads five times in five parts, each fit choosing its strength inside, which is a
hundred and more inner fits a head; ``LogisticRegressionCV`` fits once, and so chooses its strength once.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Options, in_turn, record
from onepass.audit import FeatureTable, cross_validate
from onepass.heads import CHEAP_HEADS

VALUES = 1024
REPEATS, FOLDS = 5, 5


def measure(name: str, _folder: Path, options: Options) -> None:
    """All fits of each in turn; the result is how often scikit-learn fits once meanwhile."""
    images = options.number(2_800)
    ways = {"onepass, 50 fits": partial(ours, images), "scikit-learn, 1 fit": partial(plain, images)}
    seconds = in_turn(ways, options.rounds)
    each, all_of_ours = seconds["scikit-learn, 1 fit"], seconds["onepass, 50 fits"]
    found = [mine / theirs for mine, theirs in zip(all_of_ours, each, strict=True)]
    about = f"5 x 5 folds of lda and logistic, {images} images of {VALUES}; the result is in fits of scikit-learn"
    record(name, about, "s", seconds, found, "at most 50", options)


def clouds(images: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features as ReLU leaves them, and labels that 20 of their values tell."""
    random = np.random.default_rng(0)
    labels = np.arange(images) % 2
    features = random.normal(size=(images, VALUES))
    features[:, :20] += 0.7 * labels[:, None]
    return features.clip(0).astype(np.float32), labels


def ours(images: int) -> Callable[[], object]:
    """Both heads, as the audit trains them."""
    table = FeatureTable(*clouds(images), ["cats", "dogs"], [])
    return partial(cross_validate, CHEAP_HEADS, table, REPEATS, 0)


def plain(images: int) -> Callable[[], object]:
    """One fit on four fifths of the images, with as many candidates and folds as ours has."""
    from sklearn.linear_model import LogisticRegressionCV  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    features, labels = clouds(images * (FOLDS - 1) // FOLDS)
    scaled = StandardScaler().fit_transform(features)
    model = LogisticRegressionCV(Cs=np.logspace(-5, 1, 7), cv=5, scoring="neg_log_loss", max_iter=1000, n_jobs=2)
    return partial(model.fit, scaled, labels)
