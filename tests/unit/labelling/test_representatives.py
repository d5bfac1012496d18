"""Which photos stand for the most others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.labelling import representatives
from onepass.labelling.suggestions import doubt, from_mean


def similarities(photos: int, seed: int = 0) -> NDArray[np.float32]:
    vectors = from_mean(np.random.default_rng(seed).normal(size=(photos, 6)).astype(np.float32))
    found: NDArray[np.float32] = vectors @ vectors.T
    return found


def plain(
    similar: NDArray[np.float32], count: int, covered: NDArray[np.float32], weights: NDArray[np.float32]
) -> list[int]:
    """The same by looking at every photo at every step."""
    chosen: list[int] = []
    for _ in range(count):
        gains = [
            -1.0 if number in chosen else float(weights @ np.maximum(similar[number] - covered, 0))
            for number in range(len(similar))
        ]
        chosen.append(int(np.argmax(gains)))
        covered = np.maximum(covered, similar[chosen[-1]])
    return chosen


@pytest.mark.parametrize("seed", range(5))
def test_each_is_the_one_that_adds_most_to_those_before_it(seed: int) -> None:
    similar, random = similarities(60, seed), np.random.default_rng(seed)
    nothing, one = np.full(60, -1, np.float32), np.ones(60, np.float32)
    assert representatives(similar, 12) == plain(similar, 12, nothing, one)
    covered, weights = (random.random(60).astype(np.float32) for _ in range(2))
    assert representatives(similar, 12, covered, weights) == plain(similar, 12, covered, weights)


def test_fewer_are_the_first_of_more() -> None:
    similar = similarities(80)
    assert representatives(similar, 5) == representatives(similar, 30)[:5]


def test_of_copies_one_is_chosen_and_of_copies_of_labelled_photos_none() -> None:
    similar = np.eye(6, dtype=np.float32)
    similar[0, 1] = similar[1, 0] = 0.99
    assert sorted(representatives(similar, 6, alike=0.95)) in ([0, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    covered = np.array([0, 0, 0.97, 0, 0, 0], np.float32)
    assert 2 not in representatives(similar, 6, covered, alike=0.95)


def test_what_heads_are_unsure_of_counts_more() -> None:
    assert doubt(np.array([[0.5, 0.5, 0], [0.9, 0.06, 0.04]])) == pytest.approx([1, 0.16])
    similar = np.eye(4, dtype=np.float32)
    weights = np.array([0.1, 0.9, 0.3, 0.2], np.float32)
    assert representatives(similar, 4, np.zeros(4, np.float32), weights) == [1, 2, 3, 0]
