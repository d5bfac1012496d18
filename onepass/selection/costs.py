"""What a backbone takes on this machine: measured on some of the photos, with the code that extraction runs."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.backbones import build_application, resolve
from onepass.engines import BATCH, infer
from onepass.params import BackboneParams
from onepass.photos import UNLIMITED, UndecodableError, decode, readings, smallest_size
from onepass.selection.backbones_at_hand import AtHand

WARM = BATCH  # photos that are not counted: the first call compiles
TIMED = 2 * BATCH


class Cost(NamedTuple):
    """What is known of a backbone before it is tried."""

    cuts: list[str]  # layers to cut after, the deepest first
    seconds: float  # for a photo to be decoded, resized and to pass the network up to the deepest


def measure(backbone: AtHand, root: Path, files: Sequence[str]) -> Cost:
    """Loads the network and times it. Weights that are to be fetched are random meanwhile, which costs the same.

    Args:
        root: the folder to which names of files are relative.
        files: some of the photos.

    Raises:
        UserError: the weights cannot be used.

    """
    if not backbone.is_to_be_fetched:
        return _measure(backbone.params, root, files)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/random.weights.h5"
        build_application(backbone.params.name, resolve(backbone.params).side).save_weights(path)
        return _measure(backbone.params.model_copy(update={"weights": path}), root, files)


def _measure(params: BackboneParams, root: Path, files: Sequence[str]) -> Cost:
    whole = resolve(params)
    cuts = whole.source.cuts_to_try(whole)
    cut = resolve(params.model_copy(update={"layer": cuts[0], "pooling": "avg"} if cuts else {}))

    def pixels(file: str) -> NDArray[np.uint8]:
        try:
            content = next(readings(root, file))
            smallest = smallest_size(cut.decoding, cut.framing.resized)
            return cut.framing.pixels(decode(content, UNLIMITED, smallest).image)
        except UndecodableError:  # prepare tells why
            return np.zeros(cut.pixel_shape, np.uint8)

    some = [files[number % len(files)] for number in range(WARM + TIMED)]
    start, done = 0.0, 0
    for batch, _ in infer(some, pixels, cut.pixel_shape, cut.load().forward(BATCH)):
        done += len(batch)
        if done == WARM:
            start = time.perf_counter()
    return Cost(cuts, (time.perf_counter() - start) / TIMED)
