"""The map of the photos."""

import numpy as np

from onepass.audit.photo_map import MOST, photo_map


def test_photos_that_are_alike_lie_near_each_other() -> None:
    random = np.random.default_rng(0)
    centres = np.eye(3, 20)
    vectors = np.concatenate([centre + random.normal(0, 0.05, (30, 20)) for centre in centres]).astype(np.float32)
    places = sorted(photo_map(vectors))
    assert [place.number for place in places] == list(range(90))
    points = np.array([[place.x, place.y] for place in places])
    assert (points.min(), points.max()) == (0, 1)
    means = points.reshape(3, 30, 2).mean(axis=1)
    spread = points.reshape(3, 30, 2).std(axis=1).max()
    apart = min(float(np.linalg.norm(means[one] - means[other])) for one, other in ((0, 1), (0, 2), (1, 2)))
    assert apart > 4 * spread


def test_of_many_photos_some_are_shown_from_left_to_right_and_always_the_same() -> None:
    vectors = np.random.default_rng(1).normal(size=(3 * MOST, 8)).astype(np.float32)
    places = photo_map(vectors)
    assert len({place.number for place in places}) == MOST
    assert [place.x for place in places] == sorted(place.x for place in places)
    assert photo_map(vectors) == places
    assert len(photo_map(vectors[:1])) == 1
