"""Training the head on features in memory, with Keras."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.shared.errors import UserError
from stages.shared.head import Arrays
from stages.shared.params import Head, Train
from stages.shared.tensorflow import keras, tf

Log = Callable[[int, dict[str, float]], None]


class Labelled(NamedTuple):
    """Features with their classes."""

    features: NDArray[np.float32]  # (images, values)
    labels: NDArray[np.int64]  # (images,), numbers of classes


class Fit(NamedTuple):
    """The best epoch of a training run."""

    weights: Arrays
    best_epoch: int  # counted from 1
    epochs: int


def fit(head: Head, train: Train, data: Labelled, validation: Labelled, logits: int, log: Log) -> Fit:
    """Trains and keeps the epoch with the lowest validation loss.

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
    best = keras.callbacks.EarlyStopping(
        monitor="val_loss",
        mode="min",
        patience=train.epochs if train.patience == "none" else train.patience,
        restore_best_weights=True,
    )
    with tqdm(total=train.epochs, desc="train-head", unit=" epochs", disable=None) as progress:

        def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
            log(epoch, logs)
            progress.set_postfix({name: f"{value:.3f}" for name, value in sorted(logs.items())}, refresh=False)
            progress.update()

        history = model.fit(
            *data,
            validation_data=tuple(validation),
            batch_size=train.batch,
            epochs=train.epochs,
            class_weight=_class_weights(train, data.labels),
            callbacks=[best, keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)],
            verbose=0,
        ).history
    losses = np.array(history["val_loss"])
    if not np.isfinite(losses).any():
        raise UserError(
            f"the validation loss was {losses[0]} from the first epoch on: the steps are too large. "
            f"train.learning_rate: {train.learning_rate:g} given; try {train.learning_rate / 10:g}."
        )
    return Fit([np.asarray(array) for array in model.get_weights()], int(np.nanargmin(losses)) + 1, len(losses))


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
