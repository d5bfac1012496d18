"""Photos to features on disk: ours, the article's way, and the bare network on pixels in memory.

    python -m benchmarks.extraction [ROW...] [--photos FOLDER] [--quick]

The article's way is its code in today's Keras: ``flow_from_directory`` (and, beside it, what Keras offers instead,
``image_dataset_from_directory``), then ``predict`` and ``np.save``, in float32. Starting and building is not timed.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from benchmarks.measuring import in_turn, medians, record
from benchmarks.photos import add_synthetic, link_some
from onepass.backbones import Network, build_application, resolve
from onepass.core import packed, sha256_of_files
from onepass.engines import BATCH
from onepass.features import Pool, RowIndex, Store, compute
from onepass.params import BackboneParams
from onepass.photos import LocatedView, PixelReader, View

SIDE = 150


class Row(NamedTuple):
    """What is measured, and against what."""

    network: str
    layer: str
    precision: Literal["float32", "bfloat16"]
    runtime: str
    photos: int
    against: str
    target: str


GENERATOR, DATASET, BARE = "flow_from_directory + predict", "image_dataset_from_directory + predict", "bare forward"
ROWS = {
    "extraction-vgg16-float32": Row("VGG16", "last", "float32", "tensorflow", 96, BARE, "at least 0.95"),
    "extraction-vgg16-bfloat16": Row("VGG16", "last", "bfloat16", "tensorflow", 96, GENERATOR, "at least 2.0"),
    "extraction-mobilenet-float32": Row(
        "MobileNet", "conv_pw_12_relu", "float32", "tensorflow", 960, GENERATOR, "at least 1.3"
    ),
    "extraction-mobilenet-bfloat16-openvino": Row(
        "MobileNet", "conv_pw_12_relu", "bfloat16", "openvino", 960, GENERATOR, "at least 2.2"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("rows", nargs="*", default=list(ROWS), choices=[*ROWS, []], metavar="ROW")
    parser.add_argument("--photos", type=Path, help="a folder of photos; synthetic ones of 500x375 unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke test: its figures mean nothing")
    given = parser.parse_args()
    for name in given.rows:
        row = ROWS[name]._replace(photos=32) if given.quick else ROWS[name]
        with tempfile.TemporaryDirectory() as folder:
            measure(name, row, given.photos, Path(folder), given.rounds, given.quick)


def measure(name: str, row: Row, photos: Path | None, folder: Path, rounds: int, quick: bool) -> None:
    """Times one row in turn with its rivals."""
    if photos is None:
        add_synthetic(folder / "photos", row.photos, (500, 375))
    else:
        link_some(photos, folder / "photos", row.photos)
    weights = folder / "network.weights.h5"  # random: the speed does not depend on the values
    in_turn({"weights": partial(save_weights, row.network, weights)}, rounds=0)
    ways: dict[str, Callable[[], Callable[[], None]]] = {
        "onepass": partial(ours, row, weights, folder),
        GENERATOR: partial(article, row, weights, folder, False),
        DATASET: partial(article, row, weights, folder, True),
        BARE: partial(bare, row, weights),
    }
    speed = {way: row.photos / seconds for way, seconds in medians(in_turn(ways, 1 if quick else rounds)).items()}
    about = f"{row.network} {row.precision}, {row.runtime}, {SIDE}x{SIDE}, {row.photos} "
    about += "synthetic photos" if photos is None else "photos"
    ratio = speed["onepass"] / speed[row.against]
    record(name, f"{about}, against {row.against}", "images/s", speed, ratio, row.target, not quick)


def save_weights(network: str, path: Path) -> Callable[[], None]:
    build_application(network, SIDE).save_weights(path)
    return lambda: None


def frozen(row: Row, weights: Path) -> Network:
    params = BackboneParams(
        name=row.network,
        weights=str(weights),
        image_side=SIDE,
        layer=row.layer,
        precision=row.precision,
        runtime=row.runtime,
    )
    return resolve(params).load()


def ours(row: Row, weights: Path, folder: Path) -> Callable[[], None]:
    """As extract-features computes: rows saved durably, batch by batch."""
    files = sorted((folder / "photos").glob("*/*"))
    views = [LocatedView(str(file), View(sha256_of_files(file), 0)) for file in files]
    network = frozen(row, weights)
    forward, shape = network.forward(BATCH), network.feature_shape()
    store = Store(len(views), shape.dtype, shape.shape, {}, "")
    photos = PixelReader(Path(), (SIDE, SIDE, 3), "scaled")

    def run() -> None:
        pool = Pool(folder / "onepass", store, RowIndex(packed([]), store.row_type))  # nothing of an earlier round
        compute(views, len(views), forward, photos, pool, store, os.getppid())

    return run


def article(row: Row, weights: Path, folder: Path, dataset: bool) -> Callable[[], None]:
    """``predict`` over Keras's own reader of folders, everything in one array, saved at the end."""
    from onepass.tensorflow import keras, tf  # noqa: PLC0415

    network = getattr(keras.applications, row.network)(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    network.load_weights(weights)
    output = network.output if row.layer == "last" else network.get_layer(row.layer).output
    model = keras.Model(network.inputs, output)
    data = {"directory": folder / "photos", "batch_size": 32, "shuffle": False}

    def run() -> None:
        if dataset:
            photos = keras.utils.image_dataset_from_directory(
                **data, image_size=(SIDE, SIDE), label_mode=None, verbose=False
            )
            photos = photos.map(lambda pixels: pixels / 255).prefetch(2)
        else:
            generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
            photos = generator.flow_from_directory(**data, target_size=(SIDE, SIDE), class_mode=None)
        np.save(folder / "features.npy", model.predict(photos, verbose=0))

    return run


def bare(row: Row, weights: Path) -> Callable[[], None]:
    """The compiled network alone, on one batch of pixels again and again."""
    forward = frozen(row, weights).forward(BATCH)
    pixels = np.random.default_rng(0).integers(256, size=(BATCH, SIDE, SIDE, 3), dtype=np.uint8)

    def run() -> None:
        with ThreadPoolExecutor(forward.at_once) as threads:
            list(threads.map(lambda _: forward(pixels), range(row.photos // BATCH)))

    return run


if __name__ == "__main__":
    main()
