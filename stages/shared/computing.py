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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.shared.decoding import UNLIMITED, UndecodableError, decode, resize
from stages.shared.errors import UserError
from stages.shared.tables import Image

BATCH = 32  # images a call of the network; the features of an image do not depend on it
AHEAD = 3  # batches that are decoded before they are needed


class Forward(NamedTuple):
    """A compiled network: uint8 (BATCH, side, side, 3) to features (BATCH, *shape)."""

    call: Callable[[NDArray[np.uint8]], NDArray[Any]]
    at_once: int  # calls that are best made at the same time, by as many threads

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return self.call(pixels)


class Located:
    """Finds the bytes of an image by their hash."""

    def __init__(self, root: Path, images: Sequence[Image]) -> None:
        self._root = root
        self._files = {row.hash: row.file for row in images}

    def pixels(self, hash_: str, side: int) -> NDArray[np.uint8]:
        """The image resized: uint8 RGB (side, side, 3), 0..255.

        Raises:
            UserError: the file is gone, or its bytes are not those that prepare saw.

        """
        path = self._root / self._files[hash_]
        again = "Run `dvc repro`, which prepares the photos as they are now; `dvc repro --force prepare` always does."
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read any more: {error.strerror}. {again}") from error
        if hashlib.sha256(content).hexdigest() != hash_:
            raise UserError(f"{path} has changed since prepare hashed it. {again}")
        try:
            # prepare has decoded these very bytes below the limit of megapixels
            return resize(decode(content, UNLIMITED), side)
        except UndecodableError as error:
            raise UserError(f"{path} was decoded by prepare, but not here: {error}. {again}") from error


def compute(
    hashes: Sequence[str], located: Located, side: int, forward: Forward
) -> Iterator[tuple[list[str], NDArray[Any]]]:
    """Batches of hashes with their features, in the order given."""
    waiting: deque[tuple[list[str], Future[NDArray[Any]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as decoders, ThreadPoolExecutor(forward.at_once) as callers:
        try:
            for start in range(0, len(hashes), BATCH):
                batch = list(hashes[start : start + BATCH])
                photos = [decoders.submit(located.pixels, hash_, side) for hash_ in batch]
                waiting.append((batch, callers.submit(_features, photos, side, forward)))
                if len(waiting) > AHEAD + forward.at_once:
                    done, features = waiting.popleft()
                    yield done, features.result()
            for done, features in waiting:
                yield done, features.result()
        finally:
            decoders.shutdown(wait=False, cancel_futures=True)
            callers.shutdown(wait=False, cancel_futures=True)


def _features(photos: list[Future[NDArray[np.uint8]]], side: int, forward: Forward) -> NDArray[Any]:
    pixels = np.zeros((BATCH, side, side, 3), np.uint8)  # the last batch is padded with black
    for index, photo in enumerate(photos):
        pixels[index] = photo.result()
    return forward(pixels)[: len(photos)]
