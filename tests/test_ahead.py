"""Threads get their work in order and bit by bit: what waits costs memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from stages.shared.ahead import AHEAD, mapped


@pytest.mark.parametrize("count", [0, 1, AHEAD - 1, AHEAD, AHEAD + 1, 3 * AHEAD])
def test_every_result_comes_in_the_order_of_the_items(count: int) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(mapped(threads, str, range(count))) == [str(number) for number in range(count)]


def test_only_a_bounded_number_of_items_is_under_way() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(10 * AHEAD):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as threads:
        for done, _ in enumerate(mapped(threads, str, items())):
            assert len(taken) - done <= AHEAD
    assert len(taken) == 10 * AHEAD


def test_an_error_comes_at_its_item_and_what_waits_is_not_begun() -> None:
    begun = []
    go = Event()

    def work(number: int) -> int:
        begun.append(number)
        go.wait(60)
        return 1 // (number - 1)

    with ThreadPoolExecutor(1) as threads:
        results = mapped(threads, work, range(10 * AHEAD))
        go.set()
        assert next(results) == -1
        with pytest.raises(ZeroDivisionError):
            next(results)
    assert len(begun) <= AHEAD + 1
