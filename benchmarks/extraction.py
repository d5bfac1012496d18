"""Photos to features on disk: ours against the best of the alternatives, and against what the cores leave us.

Starting, building and compiling is not timed. Measured beside are the bare network on pixels in memory, and bare
decoding on all cores. From both comes the ceiling, 1 / (1 / forward + 1 / decoding): the pace of cores that do both
kinds of work one after the other, with no wait between and nothing to store.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from benchmarks.measuring import Options, Way, in_turn, once, ratios, record, skip
from benchmarks.photos import add_photos
from benchmarks.rivals import SIDE, keras_ways, torch_ways
from onepass.backbones import Network, build_application, resolve
from onepass.core import packed, sha256_of_files
from onepass.engines import BATCH
from onepass.features import Pool, RowIndex, Store, compute
from onepass.params import BackboneParams
from onepass.photos import LocatedView, PixelReader, View

DEFAULTS = BackboneParams.model_fields
ONEPASS, BARE, DECODING, CEILING = "onepass", "bare forward", "bare decoding", "ceiling"


class Extraction(NamedTuple):
    """What is measured."""

    network: str
    layer: str
    precision: Literal["float32", "bfloat16"]
    photos: int
    targets: dict[str, str]  # by what we are compared with: the best alternative, or one of the two bounds
    runtime: str = DEFAULTS["runtime"].default


BEST = "the best alternative"
MOBILENET = Extraction("MobileNet", "conv_pw_12_relu", "float32", 960, {BEST: "at least 1.3", CEILING: "at least 0.93"})
VGG16 = Extraction("VGG16", "last", "float32", 96, {BEST: "at least 1.0", BARE: "at least 0.97"})
EXTRACTIONS = {
    "extraction-mobilenet-float32": MOBILENET,
    "extraction-mobilenet-bfloat16": MOBILENET._replace(
        precision="bfloat16", targets={BEST: "at least 2.3", CEILING: "at least 0.93"}
    ),
    "extraction-vgg16-float32": VGG16,
    "extraction-vgg16-bfloat16": VGG16._replace(precision="bfloat16"),
}
ON_GPU = MOBILENET._replace(runtime="tensorflow", photos=9600, targets={BEST: "at least 1.0"})


def measure(name: str, folder: Path, options: Options, extraction: Extraction) -> None:
    """Times one extraction in turn with its alternatives; a row for each comparison."""
    photos, out = folder / "photos", folder / "features.npy"
    count = add_photos(options.photos, photos, options.number(extraction.photos))
    weights = weights_of(extraction.network, folder, options)
    alternatives = keras_ways(extraction.network, extraction.layer, photos, out)
    torch, skipped = torch_ways(options.torch_python, extraction.network, extraction.precision, photos, out)
    alternatives |= torch
    ways: dict[str, Way] = {
        ONEPASS: partial(ours, extraction, weights, folder),
        **alternatives,
        BARE: partial(bare, extraction, weights, count),
        DECODING: partial(decoding, photos),
    }
    seconds = in_turn(ways, options.rounds)
    speed = {way: [count / value for value in some] for way, some in seconds.items()}
    speed[CEILING] = [1 / (1 / one + 1 / other) for one, other in zip(speed[BARE], speed[DECODING], strict=True)]
    best = max(alternatives, key=lambda way: median(speed[way]))
    kind = "photos" if options.photos else "synthetic photos"
    what = f"{extraction.network} {extraction.precision}, {extraction.runtime}, {SIDE}x{SIDE}, {count} {kind}"
    for against, target in extraction.targets.items():
        rival = best if against == BEST else against
        row = name if against == BEST else f"{name}-{rival.replace(' ', '-')}"
        values = ratios(speed[ONEPASS], speed[rival])
        record(row, f"{what}, against {rival}", "photos/s", speed, values, target, options, skipped)


def measure_on_gpu(name: str, folder: Path, options: Options) -> None:
    """The same where TensorFlow sees a GPU, which decoding must keep fed."""
    seeing = "from onepass.tensorflow import tf; raise SystemExit(not tf.config.list_physical_devices('GPU'))"
    if subprocess.run([sys.executable, "-c", seeing], check=False).returncode == 0:
        measure(name, folder, options, ON_GPU)
    else:
        about = f"{ON_GPU.network} {ON_GPU.precision}, {SIDE}x{SIDE}, on a GPU, against {BEST}"
        skip(name, about, ON_GPU.targets[BEST], "no GPU", options)


def weights_of(network: str, folder: Path, options: Options) -> Path:
    """The weights given, if they are this network's, or else random ones."""
    if options.weights and network == "MobileNet":
        return options.weights.resolve()
    path = folder / f"{network}.weights.h5"
    in_turn({"weights": once(save_random_weights, network, path)}, rounds=0)
    return path


def save_random_weights(network: str, path: Path) -> None:
    """In a process of its own: it imports TensorFlow."""
    build_application(network, SIDE).save_weights(path)


def load(extraction: Extraction, weights: Path) -> Network:
    params = BackboneParams(
        name=extraction.network,
        weights=str(weights),
        image_side=SIDE,
        layer=extraction.layer,
        precision=extraction.precision,
        runtime=extraction.runtime,
    )
    return resolve(params).load()


def located(photos: Path) -> list[LocatedView]:
    return [LocatedView(str(file), View(sha256_of_files(file), 0)) for file in sorted(photos.glob("*/*"))]


def reader() -> PixelReader:
    return PixelReader(Path(), (SIDE, SIDE, 3), DEFAULTS["decoding"].default)


def ours(extraction: Extraction, weights: Path, folder: Path) -> Callable[[], None]:
    """As extract-features computes: rows saved durably, batch by batch."""
    views = located(folder / "photos")
    network = load(extraction, weights)
    forward, shape = network.forward(BATCH), network.feature_shape()
    store = Store(len(views), shape.dtype, shape.shape, {}, "")

    def run() -> None:
        pool = Pool(folder / "onepass", store, RowIndex(packed([]), store.row_type))  # nothing of an earlier round
        compute(views, len(views), forward, reader(), pool, store, os.getppid())

    return run


def bare(extraction: Extraction, weights: Path, count: int) -> Callable[[], None]:
    """The compiled network alone, on one batch of pixels again and again."""
    forward = load(extraction, weights).forward(BATCH)
    pixels = np.random.default_rng(0).integers(256, size=(BATCH, SIDE, SIDE, 3), dtype=np.uint8)

    def run() -> None:
        with ThreadPoolExecutor(forward.at_once) as threads:
            for _ in threads.map(lambda _: forward(pixels), range(-(-count // BATCH))):
                pass

    return run


def decoding(photos: Path) -> Callable[[], None]:
    """Files to resized pixels, on all cores, and nothing else."""
    views = located(photos)

    def run() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for _ in threads.map(reader().pixels, views):
                pass

    return run
