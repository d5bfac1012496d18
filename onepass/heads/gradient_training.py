"""Training step by step: a head, and the layers below that go with it, on stored features; the best epoch is kept."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from onepass.core import UserError, progress_bar
from onepass.heads.dataset import Dataset, transformed, weight_of_class
from onepass.heads.graph_trainer import GraphTrainer
from onepass.heads.head_kind import FitTask, check_pooling
from onepass.heads.inference import pooling_layer
from onepass.heads.sections import GradientTraining, ScaledFeatures
from onepass.heads.standardised import Scaling, scaling_of
from onepass.heads.trained_head import Arrays, Figures, TrainedHead
from onepass.tensorflow import keras, tf

KEPT_BY_OPTIMIZER = {"adam": 2, "adamw": 2, "nadam": 2, "rmsprop": 1, "sgd": 0}  # numbers for each weight


def fit_by_gradient(
    task: FitTask, hidden: list[tuple[int, float]], make_network: Callable[[], Any] | None = None
) -> TrainedHead:
    """Trains and keeps the best epoch, by ``train.monitor`` on the validation images.

    Args:
        hidden: units and dropout of each hidden dense layer.
        make_network: Keras layers between the features and the pooling before the dense layers; else those of the
            backbone that are to be trained too, if any.

    Raises:
        UserError: the loss was never finite, or the network gives nothing that could be pooled.

    """
    train: GradientTraining = task.train
    set_seed(train.seed)
    make_network = make_network or task.layers_above
    network = make_network() if make_network else None
    data, validation, scaling = task.data, task.validation, None
    below = []
    if network is None:
        data, validation, scaling = as_dense_layers_see(task)
        values = data.features.shape[1]
    else:
        check_pooling(task.empty.pooling, network.output_shape[1:])
        below = [network, pooling_layer(task.empty.pooling)]
        values = math.prod(network.output_shape[1 if task.empty.pooling == "none" else -1 :])
    check_memory([values, *(units for units, _ in hidden), task.empty.logits], train.optimizer)
    dense = dense_layers(hidden, task.empty.logits)
    model = keras.Sequential([keras.Input(data.features.shape[1:]), *below, *dense])
    trainer = GraphTrainer(model, _optimizer(train), weight_of_class(train.class_weights, data.labels), train.batch)
    best = Best(train)
    with progress_bar(train.epochs, "train-head", "epochs") as bar:
        for epoch in range(train.epochs):
            trained = trainer.train(data, shuffled(len(data.labels), train.seed, epoch))
            judged = trainer.judge(validation)
            task.log(trained, judged)
            bar.set_postfix(loss=f"{judged.loss:.3f}", accuracy=f"{judged.accuracy:.3f}", refresh=False)
            bar.update()
            if best.keeps(judged):
                weights, network_weights = _arrays(dense), _arrays(below)
            if best.is_enough() or not math.isfinite(judged.loss):
                break
    if best.epoch == 0:
        raise UserError(
            "the validation loss was never a finite number: the steps are too large. "
            f"train.learning_rate: {train.learning_rate:g} given; try {train.learning_rate / 10:g}."
        )
    print(f"best of {best.epochs} epochs: {best.epoch}")
    if not math.isfinite(judged.loss):
        print(
            f"stopped: the loss of epoch {best.epochs} was no finite number, and no later one could be: the steps are "
            f"too large. train.learning_rate: {train.learning_rate:g} given; try {train.learning_rate / 10:g}."
        )
    if scaling:
        folded = scaling.folded_into(*weights[:2])
        weights = [*(array.astype(np.float32) for array in folded), *weights[2:]]
    head = task.empty._replace(
        weights=weights,
        network_weights=network_weights,
        trained_parameters=sum(math.prod(variable.shape) for variable in model.trainable_variables),
        best_epoch=best.epoch,
        epochs=best.epochs,
    )
    if network is not None:  # which scales the features itself, where that is to be done
        head = head._replace(feature_scale=1.0, network=keras.saving.serialize_keras_object(network))
    return head


def as_dense_layers_see(task: FitTask) -> tuple[Dataset, Dataset, Scaling | None]:
    """Training and validation data as values in a row: made once, and not in each epoch. And how they were scaled."""
    data, validation = (transformed(part, task.empty.inputs) for part in (task.data, task.validation))
    if not isinstance(task.head, ScaledFeatures) or task.head.scale != "standard":
        return data, validation, None
    scaling = scaling_of(data.features)
    return transformed(data, scaling.apply), transformed(validation, scaling.apply), scaling


def check_memory(sizes: Sequence[int], optimizer: str) -> None:
    """UserError: dense layers of these sizes, from the features to the logits, are more than the memory holds.

    A layer takes its weights, their gradients, and what the optimizer keeps of each.
    """
    copies = 2 + KEPT_BY_OPTIMIZER[optimizer]
    needed = 4 * copies * sum(before * after for before, after in pairwise(sizes))
    available = psutil.virtual_memory().available
    if needed > available:
        raise UserError(
            f"head.hidden_units: {', '.join(map(str, sizes[1:-1])) or 'none'} given; on {sizes[0]:,} values an image "
            f"they need {needed / 1e9:,.1f} GB with train.optimizer: {optimizer}, and {available / 1e9:,.1f} GB are "
            "available. Lower head.hidden_units, or pool the features: backbone.pooling or head.pooling: avg."
        )


class Best:
    """Which epoch is the best so far, and whether to go on.

    Best by accuracy means: of epochs with the same accuracy, the one with the lower loss.
    """

    def __init__(self, train: GradientTraining) -> None:
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


def set_seed(seed: int) -> None:
    """Before anything with random weights is built: the same seed, the same bytes."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def shuffled(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the rows in an epoch, counted from 0."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def dense_layers(hidden: list[tuple[int, float]], logits: int) -> list[Any]:
    """The dense layers of the head, with dropout between them: (images, values) to logits."""
    layers: list[Any] = []
    for number, (units, dropout) in enumerate(hidden, start=1):
        layers.append(keras.layers.Dense(units, activation="relu", name=f"hidden{number}"))
        layers.append(keras.layers.Dropout(dropout, name=f"dropout{number}"))
    return [*layers, keras.layers.Dense(logits, name="logits")]


def _arrays(layers: list[Any]) -> Arrays:
    return [np.asarray(array) for layer in layers for array in layer.get_weights()]


def _optimizer(train: GradientTraining) -> Any:
    return keras.optimizers.get({"class_name": train.optimizer, "config": {"learning_rate": train.learning_rate}})
