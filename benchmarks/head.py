"""The article's head on 2,000 + 800 images of (4, 4, 512) features: seconds an epoch, ours and ``fit`` with defaults.

    python -m benchmarks.head [--quick]

The whole training is timed, compiling included, and divided by its epochs.
"""

import argparse
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measuring import in_turn, medians, record
from onepass.heads import Dataset, FitTask, TrainedHead, read_head_plan
from onepass.params import BackboneParams, ParamsFile

SHAPE = (4, 4, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke test: its figures mean nothing")
    given = parser.parse_args()
    epochs, rounds, images = (2, 1, 64) if given.quick else (given.epochs, given.rounds, 2000)
    ways = {"onepass": partial(ours, images, epochs), "fit": partial(article, images, epochs)}
    seconds = {way: total / epochs for way, total in medians(in_turn(ways, rounds)).items()}
    about = f"dense 256, dropout, {images} images of {SHAPE}, batch 32, {epochs} epochs"
    record("head", about, "s an epoch", seconds, seconds["fit"] / seconds["onepass"], "at least 1.7", not given.quick)


def split(images: int, seed: int) -> tuple[Any, Any]:
    """Features as ReLU leaves them, half of them 0, and labels that they tell a little of."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 2
    features = random.normal(0.1 * labels[:, None, None, None], 1, (images, *SHAPE)).clip(0).astype(np.float32)
    return features, labels


def ours(images: int, epochs: int) -> Callable[[], None]:
    """As train-head trains."""
    head = {"kind": "mlp", "hidden_units": 256, "dropout": 0.5}
    train = {"epochs": epochs, "patience": "none", "batch": 32, "optimizer": "rmsprop"}
    below = BackboneParams(name="custom", weights="network.keras", layer="features")
    plan = read_head_plan(ParamsFile({"head": head, "train": train}), below)

    def dataset(count: int, seed: int) -> Dataset:
        features, labels = split(count, seed)
        return Dataset(features, labels, np.arange(count))

    empty = TrainedHead(["cats", "dogs"], "sigmoid", 1.0, "none")
    data, validation = dataset(images, 0), dataset(images * 2 // 5, 1)
    task = FitTask(plan.head, plan.train, empty, [*SHAPE], data, validation, None, log=lambda *_: None)

    def run() -> None:
        with redirect_stdout(None):
            plan.kind.fit(task)

    return run


def article(images: int, epochs: int) -> Callable[[], None]:
    """The article's own lines."""
    from onepass.tensorflow import keras  # noqa: PLC0415

    data, validation = split(images, 0), split(images * 2 // 5, 1)

    def run() -> None:
        model = keras.Sequential(
            [
                keras.Input(SHAPE),
                keras.layers.Flatten(),
                keras.layers.Dense(256, activation="relu"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
        model.fit(*data, epochs=epochs, batch_size=32, validation_data=validation, verbose=0)

    return run


if __name__ == "__main__":
    main()
