"""Photos to features on disk: ours against the best of the alternatives, and against what the cores leave us.

Starting, building and compiling is not timed. Ours is measured twice: with the pixels that prepare has kept, as
extract-features finds them after prepare, and decoding the photos itself, as after a pull. Measured beside are the bare
network on pixels in memory, and bare decoding on all cores. From both comes the ceiling,
1 / (1 / forward + 1 / decoding): the pace of cores that do both kinds of work one after the other, with no wait between
and nothing to store.
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
from numpy.typing import NDArray

from benchmarks.measuring import Options, Way, in_turn, once, ratios, record, skip
from benchmarks.photos import add_photos
from benchmarks.rivals import SIDE, keras_ways, torch_ways
from onepass.backbones import Backbone, build_application, resolve
from onepass.core import cores, packed, sha256_of_files
from onepass.engines import BATCH
from onepass.features import DecodedPhotos, Pool, RowIndex, Store, save_rows
from onepass.params import BackboneParams
from onepass.photos import LocatedView, PixelReader, View

DEFAULTS = BackboneParams.model_fields
AFTER_PREPARE, ITSELF = "onepass after prepare", "onepass, decoding itself"
BARE, DECODING, CEILING = "bare forward", "bare decoding", "ceiling"


class Extraction(NamedTuple):
    """What is measured."""

    network: str
    layer: str
    precision: Literal["float32", "bfloat16"]
    photos: int
    targets: dict[tuple[str, str], str]  # by what is compared with what: the best alternative, or a bound
    runtime: str = DEFAULTS["runtime"].default


BEST = "the best alternative"


def light(best: str) -> dict[tuple[str, str], str]:
    """What a network should show that is as fast as the decoder."""
    return {(AFTER_PREPARE, BEST): best, (ITSELF, BEST): best, (ITSELF, CEILING): "at least 0.93"}


HEAVY = {(ITSELF, BEST): "at least 1.0", (ITSELF, BARE): "at least 0.97"}
NEAR_CEILING = {(ITSELF, CEILING): "at least 0.9"}
MOBILENET = Extraction("MobileNet", "conv_pw_12_relu", "float32", 960, light("at least 1.3"))
VGG16 = Extraction("VGG16", "last", "float32", 96, HEAVY)
EXTRACTIONS = {
    "extraction-mobilenet-float32": MOBILENET,
    "extraction-mobilenet-bfloat16": MOBILENET._replace(precision="bfloat16", targets=light("at least 2.3")),
    "extraction-mobilenet-tensorflow": MOBILENET._replace(runtime="tensorflow", targets=NEAR_CEILING),
    "extraction-mobilenet-onnxruntime": MOBILENET._replace(runtime="onnxruntime", targets=NEAR_CEILING),
    "extraction-vgg16-float32": VGG16,
    "extraction-vgg16-bfloat16": VGG16._replace(precision="bfloat16"),
}
ON_GPU = MOBILENET._replace(runtime="tensorflow", photos=9600, targets={(ITSELF, BEST): "at least 1.0"})


def measure(name: str, folder: Path, options: Options, extraction: Extraction) -> None:
    """Times one extraction in turn with its alternatives; a row for each comparison."""
    photos, out = folder / "photos", folder / "features.npy"
    count = add_photos(options.photos, photos, options.number(extraction.photos))
    weights = weights_of(extraction.network, folder, options)
    alternatives: dict[str, Way] = {}
    skipped = ""
    if any(against == BEST for _, against in extraction.targets):
        alternatives = keras_ways(extraction.network, extraction.layer, photos, out)
        torch, skipped = torch_ways(options.torch_python, extraction.network, extraction.precision, photos, out)
        alternatives |= torch
    ways: dict[str, Way] = {
        AFTER_PREPARE: partial(ours, extraction, weights, folder, after_prepare=True),
        ITSELF: partial(ours, extraction, weights, folder, after_prepare=False),
        **alternatives,
        BARE: partial(bare, extraction, weights, count),
        DECODING: partial(decoding, photos),
    }
    seconds = in_turn(ways, options.rounds)
    speed = {way: [count / value for value in some] for way, some in seconds.items()}
    speed[CEILING] = [1 / (1 / one + 1 / other) for one, other in zip(speed[BARE], speed[DECODING], strict=True)]
    best = max(alternatives, key=lambda way: median(speed[way]), default=BEST)
    kind = "photos" if options.photos else "synthetic photos"
    what = f"{extraction.network} {extraction.precision}, {extraction.runtime}, {SIDE}x{SIDE}, {count} {kind}"
    for (way, against), target in extraction.targets.items():
        rival = best if against == BEST else against
        row = "-".join([name, *(["after-prepare"] if way == AFTER_PREPARE else []), *against.split()[-1:]])
        values = ratios(speed[way], speed[rival])
        record(row, f"{what}: {way}, against {rival}", "photos/s", speed, values, target, options, skipped)


def measure_on_gpu(name: str, folder: Path, options: Options) -> None:
    """The same where TensorFlow sees a GPU, which decoding must keep fed."""
    seeing = "from onepass.tensorflow import tf; raise SystemExit(not tf.config.list_physical_devices('GPU'))"
    if subprocess.run([sys.executable, "-c", seeing], check=False).returncode == 0:
        measure(name, folder, options, ON_GPU)
    else:
        about = f"{ON_GPU.network} {ON_GPU.precision}, {SIDE}x{SIDE}, on a GPU, against {BEST}"
        skip(name, about, ON_GPU.targets[ITSELF, BEST], "no GPU", options)


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


def backbone_of(extraction: Extraction, weights: Path) -> Backbone:
    params = BackboneParams(
        name=extraction.network,
        weights=str(weights),
        image_side=SIDE,
        layer=extraction.layer,
        precision=extraction.precision,
        runtime=extraction.runtime,
    )
    return resolve(params)


def located(photos: Path) -> list[LocatedView]:
    return [LocatedView(str(file), View(sha256_of_files(file), 0)) for file in sorted(photos.glob("*/*"))]


def reader(decoded: Callable[[str], NDArray[np.uint8] | None] = lambda _hash: None) -> PixelReader:
    return PixelReader(Path(), (SIDE, SIDE, 3), DEFAULTS["decoding"].default, decoded)


def ours(extraction: Extraction, weights: Path, folder: Path, after_prepare: bool) -> Callable[[], None]:
    """As extract-features computes: rows saved durably, batch by batch."""
    views = located(folder / "photos")
    hashes = packed(sorted(located.view.hash for located in views))
    backbone = backbone_of(extraction, weights)
    network = backbone.load()
    forward, shape = network.forward(BATCH), network.feature_shape()
    store = Store(len(views), shape.dtype, shape.shape, {}, "")
    if after_prepare:
        pixels = {located.view.hash: reader().pixels(located) for located in views}
        DecodedPhotos(folder / "machine", backbone, packed([])).add(list(pixels), np.stack([*pixels.values()]))

    def run() -> None:
        # Nothing of an earlier round.
        pool = Pool(folder / f"rows-{after_prepare}", store, RowIndex(packed([]), store.row_type))
        decoded = DecodedPhotos(folder / "machine", backbone, hashes).pixels if after_prepare else lambda _hash: None
        for _ in save_rows(views, forward, reader(decoded), pool, store, cores()):
            pass

    return run


def bare(extraction: Extraction, weights: Path, count: int) -> Callable[[], None]:
    """The compiled network alone."""
    return passes(backbone_of(extraction, weights), count)


def passes(backbone: Backbone, count: int) -> Callable[[], None]:
    """One batch of pixels through a compiled network again and again."""
    forward = backbone.load().forward(BATCH)
    pixels = np.random.default_rng(0).integers(256, size=(BATCH, *backbone.pixel_shape), dtype=np.uint8)

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
