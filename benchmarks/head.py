"""The article's head on 2,000 + 800 images of (4, 4, 512) features: seconds an epoch, ours and ``fit`` with defaults.

The whole training is timed, compiling included, and divided by its epochs.
"""

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Options, in_turn, ratios, record
from onepass.heads import Dataset, FitTask, TrainedHead, read_head_plan
from onepass.params import BackboneParams, ParamsFile

SHAPE = (4, 4, 512)
EPOCHS = 20


def measure(name: str, _folder: Path, options: Options) -> None:
    """Trains in turn with both."""
    images = options.number(2_000)
    ways = {"onepass": partial(ours, images), "fit": partial(article, images)}
    seconds = {way: [total / EPOCHS for total in some] for way, some in in_turn(ways, options.rounds).items()}
    about = f"dense 256, dropout, {images} images of {SHAPE}, batch 32, {EPOCHS} epochs"
    record(name, about, "s an epoch", seconds, ratios(seconds["fit"], seconds["onepass"]), "at least 1.7", options)


def split(images: int, seed: int) -> tuple[Any, Any]:
    """Features as ReLU leaves them, half of them 0, and labels that they tell a little of."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 2
    features = random.normal(0.1 * labels[:, None, None, None], 1, (images, *SHAPE)).clip(0).astype(np.float32)
    return features, labels


def ours(images: int) -> Callable[[], None]:
    """As train-head trains."""
    head = {"kind": "mlp", "hidden_units": 256, "dropout": 0.5}
    train = {"epochs": EPOCHS, "patience": "none", "batch": 32, "optimizer": "rmsprop"}
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


def article(images: int) -> Callable[[], None]:
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
        model.fit(*data, epochs=EPOCHS, batch_size=32, validation_data=validation, verbose=0)

    return run
