"""What a backbone takes on this machine: measured on some of the photos, with the code that extraction runs."""

import tempfile
import time
from collections import deque
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
TIMED = 4 * BATCH


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
    return Cost(cuts, seconds_a_photo(params.model_copy(update=cut_at(cuts[0]) if cuts else {}), root, files))


def cut_at(layer: str) -> dict[str, str]:
    """Settings of backbone that cut it after a layer that gives maps."""
    return {"layer": layer, "pooling": "avg"}


def seconds_a_photo(params: BackboneParams, root: Path, files: Sequence[str]) -> float:
    """For a photo to be decoded, resized and to pass the network up to its cut, once the network is warm."""
    cut = resolve(params)

    def pixels(file: str) -> NDArray[np.uint8]:
        try:
            content = next(readings(root, file))
            smallest = smallest_size(cut.decoding, cut.framing.resized)
            return cut.framing.pixels(decode(content, UNLIMITED, smallest).image)
        except UndecodableError:  # prepare tells why
            return np.zeros(cut.pixel_shape, np.uint8)

    some = [files[number % len(files)] for number in range(TIMED)]
    forward = cut.load().forward(BATCH)
    deque(infer(some[:WARM], pixels, cut.pixel_shape, forward), maxlen=0)
    start = time.perf_counter()  # of a run of its own: photos are decoded ahead of the network
    deque(infer(some, pixels, cut.pixel_shape, forward), maxlen=0)
    return (time.perf_counter() - start) / TIMED
