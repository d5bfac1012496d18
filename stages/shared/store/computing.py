"""From photos to features: read, check, decode, resize and pass the network, batch by batch.

Threads decode the next batches while the network works on this one and the caller saves the last. A few
batches are in memory, however many images there are.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from stages.shared.backbone.forward import Forward
from stages.shared.errors import UserError
from stages.shared.hashes import find, packed
from stages.shared.params import Backbone
from stages.shared.photos.decoding import UNLIMITED, UndecodableError, decode, grayscale, resize
from stages.shared.photos.tables import Image
from stages.shared.photos.views import View, augmented, views_of
from stages.shared.store.found_rows import FoundRows

BATCH = 32  # images a call of the network; the features of an image do not depend on it
LOOKED_UP = 1024  # views at once
AHEAD = 3  # batches that are decoded before they are needed
Item = TypeVar("Item")


class Located(NamedTuple):
    """A view, and the file whose bytes have its hash."""

    file: str  # relative to the root of the photos, or absolute
    view: View


def locate(images: Iterable[Image], count: int, found: FoundRows) -> Iterator[Located]:
    """Each view whose row must still be found, once, in the order of the files.

    Args:
        images: the rows of images.csv.
        count: of views of a photo, at most.

    Raises:
        UserError: a view of no image is left at the end.

    """
    missing = found.missing()
    views = (Located(image.file, view) for image in images for view in views_of(image.hash, count))
    for some in batched(views, LOOKED_UP):
        places = find(found.keys, packed(located.view.key for located in some))
        for located, place in zip(some, places, strict=True):
            if place >= 0 and missing[place]:
                missing[place] = False  # the next file with the same bytes is a copy
                yield located
    if missing.any():
        raise UserError(
            f"images.csv lacks {missing.sum()} of the images in hashes.txt. Run `dvc repro --force prepare`."
        )


class Photos:
    """Makes the bytes of files pixels of one size."""

    def __init__(self, root: Path, backbone: Backbone, side: int) -> None:
        self._root = root
        self._grayscale = backbone.color_mode == "grayscale"
        self._side = side
        self.shape = (side, side, 1 if self._grayscale else 3)

    def pixels(self, located: Located) -> NDArray[np.uint8]:
        """The view resized: uint8 (side, side, 3), RGB, or (side, side, 1) for grayscale, 0..255.

        Raises:
            UserError: the file is gone, or its bytes are not those that prepare saw.

        """
        path = self._root / located.file
        again = "Run `dvc repro`, which prepares the photos as they are now; `dvc repro --force prepare` always does."
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read any more: {error.strerror}. {again}") from error
        if hashlib.sha256(content).hexdigest() != located.view.hash:
            raise UserError(f"{path} has changed since prepare hashed it. {again}")
        try:
            # prepare has decoded these very bytes below the limit of megapixels
            pixels = resize(augmented(decode(content, UNLIMITED), located.view), self._side)
            return grayscale(pixels) if self._grayscale else pixels
        except UndecodableError as error:
            raise UserError(f"{path} was decoded by prepare, but not here: {error}. {again}") from error


def compute(
    items: Iterable[Item], pixels_of: Callable[[Item], NDArray[np.uint8]], shape: tuple[int, int, int], forward: Forward
) -> Iterator[tuple[list[Item], NDArray[Any]]]:
    """Batches of items with what ``forward`` makes of their pixels, in the order given.

    Args:
        items: taken when they are needed.
        pixels_of: asked by several threads: uint8 pixels of ``shape``, (height, width, channels).

    """
    decoding: deque[tuple[list[Item], list[Future[NDArray[np.uint8]]]]] = deque()
    # No further ahead than the network needs: what is computed and not saved yet is lost when the run is killed.
    computing: deque[tuple[list[Item], Future[NDArray[Any]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as decoders, ThreadPoolExecutor(forward.at_once) as callers:
        try:
            for batch in chain(batched(items, BATCH), [[]] * (AHEAD + forward.at_once)):  # the last empty the queues
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


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of ``size``, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _features(photos: list[Future[NDArray[np.uint8]]], shape: tuple[int, ...], forward: Forward) -> NDArray[Any]:
    pixels = np.zeros((BATCH, *shape), np.uint8)  # the last batch is padded with black
    for index, photo in enumerate(photos):
        pixels[index] = photo.result()
    return forward(pixels)[: len(photos)]
