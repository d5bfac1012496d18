"""Training the head on features in memory, with Keras."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.shared.errors import UserError
from stages.shared.head import Arrays, Labelled
from stages.shared.params import Head, Train
from stages.shared.tensorflow import keras, tf

Log = Callable[[int, dict[str, float]], None]


class Fit(NamedTuple):
    """The best epoch of a training run."""

    weights: Arrays
    best_epoch: int  # counted from 1
    epochs: int


def fit(head: Head, train: Train, data: Labelled, validation: Labelled, logits: int, log: Log) -> Fit:
    """Trains and keeps the best epoch, by ``train.monitor`` on the validation images.

    Args:
        logits: 1 for a sigmoid, else the number of classes.
        log: called with the epoch, from 0, and Keras's figures of it.

    Raises:
        UserError: the loss was never finite.

    """
    keras.utils.set_random_seed(train.seed)
    tf.config.experimental.enable_op_determinism()
    model = build(head, data.features.shape[1], logits)
    model.compile(optimizer=_optimizer(train), loss=_loss(logits), metrics=[_accuracy(logits)])
    patience = train.epochs if train.patience == "none" else train.patience
    best = Best(train.monitor, patience)
    with tqdm(total=train.epochs, desc="train-head", unit=" epochs", disable=None) as progress:

        def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
            log(epoch, logs)
            progress.set_postfix({name: f"{value:.3f}" for name, value in sorted(logs.items())}, refresh=False)
            progress.update()

        model.fit(
            *data,
            validation_data=tuple(validation),
            batch_size=train.batch,
            epochs=train.epochs,
            class_weight=_class_weights(train, data.labels),
            callbacks=[best, keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)],
            verbose=0,
        )
    if best.weights is None:
        raise UserError(
            "the validation loss was never a finite number: the steps are too large. "
            f"train.learning_rate: {train.learning_rate:g} given; try {train.learning_rate / 10:g}."
        )
    return Fit(best.weights, best.epoch, best.epochs)


class Best(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the weights of the best epoch, and stops after ``patience`` epochs without a better one.

    Best by accuracy means: of epochs with the same accuracy, the one with the lower loss.
    """

    def __init__(self, monitor: str, patience: int) -> None:
        super().__init__()
        self.weights: Arrays | None = None
        self.epoch = 0  # the best one, counted from 1
        self.epochs = 0
        self._monitor = monitor
        self._patience = patience
        self._rank = (-math.inf, -math.inf)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras with the figures of an epoch, counted from 0."""
        self.epochs = epoch + 1
        loss = (logs or {})["val_loss"]
        rank = ((logs or {})["val_accuracy"] if self._monitor == "accuracy" else 0.0, -loss)
        if math.isfinite(loss) and rank > self._rank:
            self._rank, self.epoch = rank, self.epochs
            self.weights = [np.asarray(array) for array in self.model.get_weights()]
        self.model.stop_training = self.epochs - self.epoch >= self._patience


def build(head: Head, values: int, logits: int) -> Any:
    """The head as a Keras model: (images, values) to logits."""
    hidden = [keras.layers.Dense(head.hidden_units, activation="relu"), keras.layers.Dropout(head.dropout)]
    layers = [keras.Input((values,)), *(hidden if head.kind == "mlp" else []), keras.layers.Dense(logits)]
    return keras.Sequential(layers)


def _optimizer(train: Train) -> Any:
    return keras.optimizers.get({"class_name": train.optimizer, "config": {"learning_rate": train.learning_rate}})


def _loss(logits: int) -> Any:
    kind = keras.losses.BinaryCrossentropy if logits == 1 else keras.losses.SparseCategoricalCrossentropy
    return kind(from_logits=True)


def _accuracy(logits: int) -> Any:
    if logits == 1:
        return keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
    return keras.metrics.SparseCategoricalAccuracy("accuracy")


def _class_weights(train: Train, labels: NDArray[np.int64]) -> dict[int, float] | None:
    """Balanced: every class weighs the same in the loss, whatever its number of images."""
    if train.class_weights == "none":
        return None
    counts = np.bincount(labels)
    return {number: len(labels) / (len(counts) * count) for number, count in enumerate(counts)}
