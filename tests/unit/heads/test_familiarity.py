"""How far a photo is from those that trained."""

import numpy as np
import pytest

from onepass.heads import distances
from onepass.heads.familiarity import FEWEST, NEIGHBOURS, PROTOTYPES, VALUES, places_of_prototypes, root_directions


def test_maps_are_averaged_and_roots_have_length_one() -> None:
    maps = np.random.default_rng(0).normal(size=(5, 3, 4, 6))
    found = root_directions(maps)
    means = maps.mean(axis=(1, 2))
    roots = np.sign(means) * np.sqrt(np.abs(means))
    np.testing.assert_allclose(found, roots / np.linalg.norm(roots, axis=1)[:, None], rtol=1e-5)
    assert (root_directions(np.zeros((2, 6))) == 0).all()


def test_the_distance_is_that_to_the_nearest_few() -> None:
    random = np.random.default_rng(0)
    prototypes, features = root_directions(random.normal(size=(40, 8))), random.normal(size=(10, 8))
    cosines = root_directions(features) @ prototypes.T
    expected = [1 - np.mean(sorted(row)[-NEIGHBOURS:]) for row in cosines]
    np.testing.assert_allclose(distances(features, prototypes), expected, rtol=1e-5)
    np.testing.assert_allclose(distances(features, prototypes[:3]), 1 - cosines[:, :3].mean(axis=1), rtol=1e-5)


def test_strangers_are_farther_than_new_photos_of_the_same_kind() -> None:
    random = np.random.default_rng(0)
    centre, other = np.abs(random.normal(size=(2, 64)))
    train, new, strangers = (np.abs(middle + random.normal(0, 0.3, (50, 64))) for middle in (centre, centre, other))
    prototypes = root_directions(train)
    assert distances(new, prototypes).max() < distances(strangers, prototypes).min()


def test_all_classes_have_as_many_prototypes_as_there_is_room_for() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(3, 5000, p=[0.9, 0.09, 0.01])
    places = places_of_prototypes(labels, channels=1024)
    assert len(places) == PROTOTYPES
    assert (np.diff(places) > 0).all()
    rare = int((labels == 2).sum())
    counts = np.bincount(labels[places])
    assert counts[2] == rare
    assert counts[1] == (labels == 1).sum() < counts[0]  # those that are fewer than their share leave room
    np.testing.assert_array_equal(places[labels[places] == 0], np.flatnonzero(labels == 0)[: counts[0]])


@pytest.mark.parametrize(("channels", "most"), [(8, PROTOTYPES), (VALUES // 100, 100), (VALUES, FEWEST)])
def test_prototypes_are_bounded_in_bytes(channels: int, most: int) -> None:
    assert len(places_of_prototypes(np.zeros(3000, np.int64), channels)) == most
    assert places_of_prototypes(np.zeros(10, np.int64), channels).tolist() == list(range(10))
