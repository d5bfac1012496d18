"""Trains a small CNN on scikit-learn's handwritten digits 0 to 4: the backbone of the embedded default.

The pipeline carries it over to 5 to 9, digits that it has never seen.
"""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from onepass.core import run_stage
from onepass.tensorflow import keras, save_keras, tf

SIDE = 8  # pixels, as scanned


def main(out: Path) -> None:
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    digits = load_digits()
    pixels = np.repeat(digits.images[..., np.newaxis] / 16, 3, axis=-1)[digits.target < 5]
    labels = digits.target[digits.target < 5]
    network = build()
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(pixels, labels, batch_size=32, epochs=20, verbose=0)
    accuracy = network.evaluate(pixels, labels, verbose=0)[1]
    save_keras(out, network, {})
    print(f"backbone trained on {len(labels)} scans of the digits 0 to 4, accuracy on them {accuracy:.3f}")


def build() -> Any:
    """RGB (8, 8, 3), 0..1, to the probabilities of five digits; the layer ``features`` is the one to cut after."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2, name="features"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(5, activation="softmax"),
        ],
        name="digits",
    )


if __name__ == "__main__":
    run_stage(main)
