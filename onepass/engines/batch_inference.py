"""Batches for a compiled network: threads decode the next ones while it works on this one, and the caller saves the
last.

A few batches are in memory, however many images there are.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, batched, bounded_map, cores
from onepass.engines.engine import Forward

BATCH = 32  # images a call of the network; the features of an image do not depend on it
DECODED_AHEAD = 5  # batches; with 3 the network waits for photos, and is a twentieth slower
Item = TypeVar("Item")


def infer(
    items: Iterable[Item],
    pixels_of: Callable[[Item], NDArray[np.uint8]],
    shape: tuple[int, int, int],
    forward: Forward,
    batch: int = BATCH,
    threads: int | None = None,
    refuse: Callable[[Item, UserError], None] | None = None,
) -> Iterator[tuple[list[Item], NDArray[Any]]]:
    """Batches of items with what ``forward`` makes of their pixels, in the order given.

    Args:
        items: taken when they are needed.
        pixels_of: asked by several threads: uint8 pixels of ``shape``, (height, width, channels).
        batch: images a call, the number that ``forward`` was compiled for.
        threads: that ask for pixels; as many as there are cores unless given.
        refuse: is told of an item whose pixels are a UserError, which is left out then. None: the error is raised.

    """

    def decoded(item: Item) -> tuple[Item, NDArray[np.uint8] | UserError]:
        try:
            return item, pixels_of(item)
        except UserError as error:
            if refuse is None:
                raise
            return item, error

    def sound(photos: Iterable[tuple[Item, NDArray[np.uint8] | UserError]]) -> Iterator[tuple[Item, NDArray[np.uint8]]]:
        for item, pixels in photos:
            if not isinstance(pixels, UserError):
                yield item, pixels
            elif refuse:
                refuse(item, pixels)

    def computed(some: list[tuple[Item, NDArray[np.uint8]]]) -> tuple[list[Item], NDArray[Any]]:
        pixels = np.zeros((batch, *shape), np.uint8)  # the last batch is padded with black
        for index, (_, photo) in enumerate(some):
            pixels[index] = photo
        return [item for item, _ in some], forward(pixels)[: len(some)]

    with (
        ThreadPoolExecutor(threads or cores()) as decoders,
        ThreadPoolExecutor(forward.at_once) as callers,
        # Closed before the threads are waited for, so that after an error nothing more is begun.
        closing(bounded_map(decoders, decoded, items, batch * DECODED_AHEAD)) as photos,
        # No further ahead than the network needs: what is computed and not saved yet is lost when the run is killed.
        closing(bounded_map(callers, computed, batched(sound(photos), batch), forward.at_once + 1)) as batches,
    ):
        yield from batches
