"""Threads get their work in order and bit by bit: what waits costs memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from onepass.core.concurrency import UNDER_WAY, bounded_map


@pytest.mark.parametrize("count", [0, 1, UNDER_WAY - 1, UNDER_WAY, UNDER_WAY + 1, 3 * UNDER_WAY])
def test_every_result_comes_in_the_order_of_the_items(count: int) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(bounded_map(threads, str, range(count))) == [str(number) for number in range(count)]


def test_only_a_bounded_number_of_items_is_under_way() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(10 * UNDER_WAY):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as threads:
        for done, _ in enumerate(bounded_map(threads, str, items())):
            assert len(taken) - done <= UNDER_WAY
    assert len(taken) == 10 * UNDER_WAY


def test_an_error_comes_at_its_item_and_what_waits_is_not_begun() -> None:
    begun = []
    go = Event()

    def work(number: int) -> int:
        begun.append(number)
        go.wait(60)
        return 1 // (number - 1)

    with ThreadPoolExecutor(1) as threads:
        results = bounded_map(threads, work, range(10 * UNDER_WAY))
        go.set()
        assert next(results) == -1
        with pytest.raises(ZeroDivisionError):
            next(results)
    assert len(begun) <= UNDER_WAY + 1
