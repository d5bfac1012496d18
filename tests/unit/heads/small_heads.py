"""What the tests of heads share: points that can be told apart, random dense layers, and a head fitted to points."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.heads import Dataset, Figures, FitTask, Limits, TrainedHead
from onepass.heads.familiarity import root_directions
from tests.builders import NOTHING, head_plan

HEAD = {"hidden_units": 8}
TRAIN = {"learning_rate": 0.05, "batch": 16, "epochs": 12, "patience": "none"}


def blobs(counts: list[int], seed: int = 0, distance: float = 1.5, size: float = 1.0) -> Dataset:
    """Clouds of points, one a class, each ``distance`` deviations away from 0 on an axis of its own."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    features = random.normal(size=(len(labels), 4)) + distance * np.eye(4)[labels]
    return Dataset((features * size).astype(np.float32), labels, np.arange(len(labels)))


def dense_arrays(*sizes: int) -> list[NDArray[np.float32]]:
    """Random kernels and biases of dense layers between these sizes."""
    random = np.random.default_rng(0)
    shapes = [shape for before, after in pairwise(sizes) for shape in ((before, after), (after,))]
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def unfitted(logits: int) -> TrainedHead:
    """A head without weights for so many logits: one is the sigmoid of two classes."""
    classes = [str(number) for number in range(max(logits, 2))]
    return TrainedHead(classes, "sigmoid" if logits == 1 else "softmax", 1.0, "none")


def fit(
    data: Dataset,
    validation: Dataset,
    logits: int,
    kind: str = "linear",
    head: Mapping[str, Any] = NOTHING,
    **train: Any,
) -> tuple[TrainedHead, list[Figures]]:
    """The fitted head, and the figures of validation that it logged."""
    plan = head_plan(kind, {**HEAD, **head}, {**TRAIN, **train})
    logged: list[Figures] = []

    def log(_trained: Figures, judged: Figures) -> None:
        logged.append(judged)

    shape = [*data.features.shape[1:]]
    empty = unfitted(logits)._replace(unit_length=plan.scale == "l2")
    task = FitTask(plan.head, plan.train, empty, shape, data, validation, None, log)
    return plan.kind.fit(task), logged


LIMITS = Limits(refuse=0.02, images=50, sure=0.4, familiar=0.03, in_set=0.2)


def knowing(head: TrainedHead, channels: int) -> TrainedHead:
    """The head with prototypes for features of so many channels, and limits."""
    values = np.random.default_rng(7).normal(size=(9, channels)).astype(np.float32)
    return head._replace(prototypes=root_directions(np.abs(values)), limits=LIMITS)
