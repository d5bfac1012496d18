"""From content hashes to features: read, check, decode, resize and pass the network, batch by batch.

Threads decode the next batches while the network works on this one and the caller saves the last. A few
batches are in memory, however many images there are.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stages.shared.backbone.forward import Forward
from stages.shared.errors import UserError
from stages.shared.params import Backbone
from stages.shared.photos.decoding import UNLIMITED, UndecodableError, decode, grayscale, resize
from stages.shared.photos.tables import Image
from stages.shared.photos.views import View, augmented

BATCH = 32  # images a call of the network; the features of an image do not depend on it
AHEAD = 3  # batches that are decoded before they are needed
Item = TypeVar("Item")


class Located:
    """Finds the bytes of an image by their hash, and makes them pixels of one size."""

    def __init__(self, root: Path, images: Sequence[Image], backbone: Backbone, side: int) -> None:
        self._root = root
        self._files = {row.hash: row.file for row in images}
        self._grayscale = backbone.color_mode == "grayscale"
        self._side = side
        self.shape = (side, side, 1 if self._grayscale else 3)

    def pixels(self, view: View) -> NDArray[np.uint8]:
        """The view resized: uint8 (side, side, 3), RGB, or (side, side, 1) for grayscale, 0..255.

        Raises:
            UserError: the file is gone, or its bytes are not those that prepare saw.

        """
        path = self._root / self._files[view.hash]
        again = "Run `dvc repro`, which prepares the photos as they are now; `dvc repro --force prepare` always does."
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read any more: {error.strerror}. {again}") from error
        if hashlib.sha256(content).hexdigest() != view.hash:
            raise UserError(f"{path} has changed since prepare hashed it. {again}")
        try:
            # prepare has decoded these very bytes below the limit of megapixels
            pixels = resize(augmented(decode(content, UNLIMITED), view), self._side)
            return grayscale(pixels) if self._grayscale else pixels
        except UndecodableError as error:
            raise UserError(f"{path} was decoded by prepare, but not here: {error}. {again}") from error


def compute(
    items: Sequence[Item], pixels_of: Callable[[Item], NDArray[np.uint8]], shape: tuple[int, int, int], forward: Forward
) -> Iterator[tuple[list[Item], NDArray[Any]]]:
    """Batches of items with what ``forward`` makes of their pixels, in the order given.

    Args:
        pixels_of: asked by several threads: uint8 pixels of ``shape``, (height, width, channels).

    """
    decoding: deque[tuple[list[Item], list[Future[NDArray[np.uint8]]]]] = deque()
    # No further ahead than the network needs: what is computed and not saved yet is lost when the run is killed.
    computing: deque[tuple[list[Item], Future[NDArray[Any]]]] = deque()
    batches = [list(items[start : start + BATCH]) for start in range(0, len(items), BATCH)]
    with ThreadPoolExecutor(os.cpu_count()) as decoders, ThreadPoolExecutor(forward.at_once) as callers:
        try:
            for batch in [*batches, *[[]] * (AHEAD + forward.at_once)]:  # the last rounds empty the queues
                if batch:
                    decoding.append((batch, [decoders.submit(pixels_of, item) for item in batch]))
                if decoding and (len(decoding) > AHEAD or not batch):
                    decoded, photos = decoding.popleft()
                    computing.append((decoded, callers.submit(_features, photos, shape, forward)))
                if computing and (len(computing) > forward.at_once or not decoding):
                    computed, features = computing.popleft()
                    yield computed, features.result()
        finally:
            decoders.shutdown(wait=False, cancel_futures=True)
            callers.shutdown(wait=False, cancel_futures=True)


def _features(photos: list[Future[NDArray[np.uint8]]], shape: tuple[int, ...], forward: Forward) -> NDArray[Any]:
    pixels = np.zeros((BATCH, *shape), np.uint8)  # the last batch is padded with black
    for index, photo in enumerate(photos):
        pixels[index] = photo.result()
    return forward(pixels)[: len(photos)]
