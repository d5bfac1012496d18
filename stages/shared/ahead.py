"""Work for threads, handed out bit by bit."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

AHEAD = 256  # under way at once: enough that one slow item keeps no thread waiting for long
Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(threads: Executor, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Like ``threads.map``, which hands out all items at once, and each that waits costs a kilobyte."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(threads.submit(function, item))
            if len(waiting) == AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
