"""Work for threads, handed out bit by bit and given back in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

UNDER_WAY = 256  # items at once: enough that one slow item keeps no thread waiting for long
Item = TypeVar("Item")
Result = TypeVar("Result")


def bounded_map(
    threads: Executor, function: Callable[[Item], Result], items: Iterable[Item], under_way: int = UNDER_WAY
) -> Generator[Result, None, None]:
    """Like ``threads.map``, which hands out all items at once, and each that waits costs a kilobyte.

    Args:
        under_way: items that are handed out and not yet given back, at most.

    """
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(threads.submit(function, item))
            if len(waiting) == under_way:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of ``size``, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
