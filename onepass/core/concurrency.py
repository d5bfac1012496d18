"""Work for threads, handed out bit by bit and given back in order; and how many there are best."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

CORES_VARIABLE = "ONEPASS_CORES"
UNDER_WAY = 256  # items at once: enough that one slow item keeps no thread waiting for long
Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use: all of the machine, unless the environment says fewer."""
    given, there = os.environ.get(CORES_VARIABLE, ""), os.cpu_count() or 1
    return min(int(given), there) if given.isdecimal() and int(given) else there


def bounded_map(
    threads: Executor, function: Callable[[Item], Result], items: Iterable[Item], under_way: int = UNDER_WAY
) -> Generator[Result, None, None]:
    """Like ``threads.map``, which hands out all items at once, and each that waits costs a kilobyte.

    An error of an item, or of ``items``, is raised after all that came before it was given back.

    Args:
        under_way: items that are handed out and not yet given back, at most.

    """
    waiting: deque[Future[Result]] = deque()
    errors: list[Exception] = []
    try:
        for item in _until_error(items, errors):
            waiting.append(threads.submit(function, item))
            if len(waiting) == under_way:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        for error in errors:
            raise error
    finally:
        for future in waiting:
            future.cancel()


def _until_error(items: Iterable[Item], errors: list[Exception]) -> Iterator[Item]:
    """The items; an error among them ends them, and is kept."""
    try:
        yield from items
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised when its turn has come
        errors.append(error)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of ``size``, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
