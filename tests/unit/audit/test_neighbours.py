"""The nearest photos: exactly, or nearly all of them in a time that does not grow with the square of their number."""

import numpy as np
import pytest

from onepass.audit import are_outliers, directions, distances, nearest


def clouds(count: int, values: int = 32, seed: int = 0) -> np.ndarray:
    """Photos of twenty kinds."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(20, values))
    return (centres[random.integers(0, 20, count)] + 0.5 * random.normal(size=(count, values))).astype(np.float32)


def test_they_are_those_of_a_plain_comparison() -> None:
    vectors = directions(clouds(700))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    found = nearest(vectors, 3)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    assert (found.places == np.argsort(-cosines, axis=1)[:, :3]).all()
    assert found.cosines == pytest.approx(-np.sort(-cosines, axis=1)[:, :3], abs=1e-6)
    assert found.recall == 1


def test_of_two_photos_each_has_one_neighbour() -> None:
    found = nearest(directions(np.eye(2, 4, dtype=np.float32)), 5)
    assert found.places.tolist() == [[1, -1, -1, -1, -1], [0, -1, -1, -1, -1]]
    assert distances(found) == pytest.approx([2, 2])


def test_with_many_photos_nearly_all_are_found_and_it_is_told_how_many() -> None:
    vectors = directions(clouds(4000))
    exact, fast = nearest(vectors), nearest(vectors, exact=100)
    found = np.mean([np.isin(a, b).mean() for a, b in zip(exact.places, fast.places, strict=True)])
    assert fast.recall == pytest.approx(found, abs=0.05)
    assert fast.recall > 0.9
    assert (fast.places != np.arange(len(vectors))[:, None]).all()
    assert all(len(set(row)) == 10 for row in fast.places.tolist())


def test_what_is_of_something_else_is_an_outlier_though_it_lies_near_the_mean_of_all() -> None:
    """Features as ReLU leaves them: all photos share most of their direction, and a stranger has none of its own."""
    random = np.random.default_rng(0)
    features = np.concatenate([4 + clouds(500, 64), 0.5 * random.normal(size=(3, 64)) + 2]).clip(0)
    features[500:, ::2] = 0
    found = are_outliers(distances(nearest(directions(features.astype(np.float32), from_mean=False))))
    assert found[500:].all()
    assert found[:500].mean() < 0.05
