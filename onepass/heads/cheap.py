"""Heads that cost so little that they can be trained a hundred times: those in closed form or fitted at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.heads.dataset import Dataset
from onepass.heads.fit_task import resolve_activation
from onepass.heads.kinds.lda import fit_discriminant
from onepass.heads.kinds.logistic import fit_regression
from onepass.heads.trained_head import Arrays, TrainedHead


class CheapHead(NamedTuple):
    """A head that takes one value a channel, and chooses its strength inside the images that it is given."""

    kind: str  # as head.kind
    fit: Callable[[Dataset, int, str, int], Arrays]  # of a dataset, with logits, class weights and seed

    def trained_on(
        self, features: Any, labels: NDArray[np.int64], classes: list[str], seed: int
    ) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
        """A function from features, (images, values), to probabilities, (images, classes).

        Args:
            features: (images, values), as ``chosen_rows`` gives them.
            labels: (images,), of every class at least one.

        """
        empty = TrainedHead(classes, resolve_activation("auto", classes), 1.0, "none")
        weights = self.fit(Dataset(features, labels, np.arange(len(labels))), empty.logits, "none", seed)
        return empty._replace(weights=weights).probabilities


CHEAP_HEADS = (
    CheapHead("lda", lambda *given: fit_discriminant(*given).weights),
    CheapHead("logistic", lambda *given: fit_regression(*given).weights),
)
