"""Training steps inside the graph: one call of TensorFlow goes through many batches.

Keras's own ``fit`` comes back to Python after every batch, which for a small head costs more than its arithmetic.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.heads.dataset import Dataset
from onepass.heads.trained_head import Figures
from onepass.tensorflow import tf

IN_GRAPH = 16 << 20  # bytes of features that one call works on
COMPILED_FROM = 200_000  # weights: compiling takes a third of a second


class GraphTrainer:
    """A Keras model from features to logits, with what it takes to train and to judge it."""

    def __init__(self, model: Any, optimizer: Any, class_weights: NDArray[np.float64], batch: int) -> None:
        self._model = model
        self._class_weights = tf.constant(class_weights, tf.float32)
        self._batch = batch
        optimizer.build(model.trainable_variables)
        # Compiled, the update of a weight is one pass over memory and not ten, which pays where weights are many.
        compiled = model.count_params() > COMPILED_FROM and not tf.config.list_physical_devices("GPU")
        # Without autograph, which takes longer to read these few lines than small heads take to be trained.
        self._apply = tf.function(optimizer.apply, jit_compile=compiled or None, autograph=False)
        self._train = tf.function(partial(_sums_of_batches, self._step), reduce_retracing=True, autograph=False)
        self._judge = tf.function(partial(_sums_of_batches, self._look), reduce_retracing=True, autograph=False)

    def train(self, data: Dataset, order: NDArray[np.int64]) -> Figures:
        """One step a batch through the images in this order; the last batch may be smaller."""
        return self._through(self._train, data, order)

    def judge(self, data: Dataset) -> Figures:
        """Loss and accuracy without training."""
        return self._through(self._judge, data, np.arange(len(data.labels)))

    def _through(self, batches: Any, data: Dataset, order: NDArray[np.int64]) -> Figures:
        bytes_each = data.features[order[:1]].nbytes
        chunk = max(IN_GRAPH // bytes_each // self._batch, 1) * self._batch
        whole = len(order) - len(order) % self._batch
        pieces = [order[start : min(start + chunk, whole)] for start in range(0, whole, chunk)]
        sums = np.zeros(2)
        for piece in [*pieces, *([order[whole:]] if whole < len(order) else [])]:
            size = min(self._batch, len(piece))
            sums += batches(tf.constant(data.features[piece]), tf.constant(data.labels[piece], tf.int32), size).numpy()
        return Figures(*map(float, sums / len(order)))

    def _step(self, features: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self._model(features, training=True)
            losses = _losses(logits, labels) * tf.gather(self._class_weights, labels)
            # a user's network may bring regularisers of its own
            loss = tf.reduce_mean(losses) + sum(self._model.losses)
        self._apply(tape.gradient(loss, self._model.trainable_variables))
        return tf.stack([tf.reduce_sum(losses), _correct(logits, labels)])

    def _look(self, features: Any, labels: Any) -> Any:
        logits = self._model(features, training=False)
        return tf.stack([tf.reduce_sum(_losses(logits, labels)), _correct(logits, labels)])


def _sums_of_batches(function: Callable[[Any, Any], Any], features: Any, labels: Any, size: int) -> Any:
    """What a function gives of the features and labels of each batch, summed up: (2,)."""

    def add(start: Any, sums: Any) -> tuple[Any, Any]:
        return start + size, sums + function(_batch(features, start, size), _batch(labels, start, size))

    return tf.while_loop(lambda start, _: start < tf.shape(labels)[0], add, (0, tf.zeros(2)))[1]


def _batch(array: Any, start: Any, size: int) -> Any:
    """``size`` rows from ``start``, of a shape that the graph knows."""
    rows = array[start : start + size]
    return tf.ensure_shape(rows, (size, *array.shape[1:]))


def _losses(logits: Any, labels: Any) -> Any:
    """Cross-entropy of each image: binary for one logit, categorical for one a class."""
    if logits.shape[1] == 1:
        return tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), logits[:, 0])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def _correct(logits: Any, labels: Any) -> Any:
    """How many images are classified rightly."""
    predicted = tf.cast(logits[:, 0] > 0, tf.int32) if logits.shape[1] == 1 else tf.argmax(logits, 1, tf.int32)
    return tf.reduce_sum(tf.cast(predicted == labels, tf.float32))
