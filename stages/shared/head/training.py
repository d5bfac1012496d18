"""Training a head, and the layers of the backbone that go with it, on stored features."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.shared.errors import UserError
from stages.shared.head.convolutions import pooling_layer
from stages.shared.head.head import Arrays, Figures
from stages.shared.head.labelled import Labelled
from stages.shared.head.stepping import Stepper
from stages.shared.params import Head, Train
from stages.shared.tensorflow import keras, tf

Log = Callable[[Figures, Figures], None]


class Fit(NamedTuple):
    """The best epoch of a training run."""

    weights: Arrays  # of the dense layers
    network_weights: Arrays
    trained_parameters: int
    best_epoch: int  # counted from 1
    epochs: int


def fit(
    head: Head, train: Train, data: Labelled, validation: Labelled, logits: int, log: Log, network: Any = None
) -> Fit:
    """Trains and keeps the best epoch, by ``train.monitor`` on the validation images.

    Args:
        logits: 1 for a sigmoid, else the number of classes.
        log: called after each epoch with the figures of training and of validation.
        network: Keras layers before pooling and dense layers: the features are its input. Without one they are
            pooled already, (images, values).

    Raises:
        UserError: the loss was never finite.

    """
    dense = dense_layers(head, logits)
    below = [] if network is None else [network, pooling_layer(head.pooling)]
    model = keras.Sequential([keras.Input(data.features.shape[1:]), *below, *dense])
    stepper = Stepper(model, _optimizer(train), _class_weights(train, data.labels), train.batch)
    best = Best(train)
    with tqdm(total=train.epochs, desc="train-head", unit=" epochs", disable=None) as progress:
        for epoch in range(train.epochs):
            trained = stepper.train(data, shuffled(len(data.labels), train.seed, epoch))
            judged = stepper.judge(validation)
            log(trained, judged)
            progress.set_postfix(loss=f"{judged.loss:.3f}", accuracy=f"{judged.accuracy:.3f}", refresh=False)
            progress.update()
            if best.keeps(judged):
                weights = _arrays(dense), _arrays(below)
            if best.is_enough():
                break
    if best.epoch == 0:
        raise UserError(
            "the validation loss was never a finite number: the steps are too large. "
            f"train.learning_rate: {train.learning_rate:g} given; try {train.learning_rate / 10:g}."
        )
    trained_parameters = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    return Fit(*weights, trained_parameters, best.epoch, best.epochs)


class Best:
    """Which epoch is the best so far, and whether to go on.

    Best by accuracy means: of epochs with the same accuracy, the one with the lower loss.
    """

    def __init__(self, train: Train) -> None:
        self.epoch = 0  # the best one, counted from 1
        self.epochs = 0
        self._by_accuracy = train.monitor == "accuracy"
        self._patience = train.epochs if train.patience == "none" else train.patience
        self._rank = (-math.inf, -math.inf)

    def keeps(self, validation: Figures) -> bool:
        """Takes the figures of the next epoch; True if it is the best so far."""
        self.epochs += 1
        rank = (validation.accuracy if self._by_accuracy else 0.0, -validation.loss)
        if not math.isfinite(validation.loss) or rank <= self._rank:
            return False
        self._rank, self.epoch = rank, self.epochs
        return True

    def is_enough(self) -> bool:
        """True after ``train.patience`` epochs without a better one."""
        return self.epochs - self.epoch >= self._patience


def set_seed(train: Train) -> None:
    """Before anything with random weights is built: the same seed, the same bytes."""
    keras.utils.set_random_seed(train.seed)
    tf.config.experimental.enable_op_determinism()


def shuffled(images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of images in an epoch, counted from 0."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def hidden_layers(head: Head) -> list[tuple[int, float]]:
    """Units and dropout of each hidden dense layer."""
    if head.kind == "linear":
        return []
    units = head.hidden_units if isinstance(head.hidden_units, list) else [head.hidden_units]
    dropout = head.dropout if isinstance(head.dropout, list) else [head.dropout] * len(units)
    return list(zip(units, dropout, strict=True))


def dense_layers(head: Head, logits: int) -> list[Any]:
    """The dense layers of the head, with dropout between them: (images, values) to logits."""
    layers: list[Any] = []
    for number, (units, dropout) in enumerate(hidden_layers(head), start=1):
        layers.append(keras.layers.Dense(units, activation="relu", name=f"hidden{number}"))
        layers.append(keras.layers.Dropout(dropout, name=f"dropout{number}"))
    return [*layers, keras.layers.Dense(logits, name="logits")]


def _arrays(layers: list[Any]) -> Arrays:
    return [np.asarray(array) for layer in layers for array in layer.get_weights()]


def _optimizer(train: Train) -> Any:
    return keras.optimizers.get({"class_name": train.optimizer, "config": {"learning_rate": train.learning_rate}})


def _class_weights(train: Train, labels: NDArray[np.int64]) -> list[float]:
    """For each class what its images count: all the same, or so that every class counts the same in total."""
    counts = np.bincount(labels)
    if train.class_weights == "none":
        return [1.0] * len(counts)
    return [float(weight) for weight in len(labels) / (len(counts) * counts)]
