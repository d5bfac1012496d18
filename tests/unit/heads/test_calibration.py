"""Limits beyond which a head says that it does not know, chosen on photos of one's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.heads.calibration import HELD, Own, least_in_set, limits_of


def own(images: int, classes: int = 3, seed: int = 0) -> Own:
    """Probabilities and the labels that they are right about as often as they say, and distances."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([0.5] * classes, images)
    labels = np.array([random.choice(classes, p=chances) for chances in probabilities], np.int64)
    return Own(labels, probabilities, random.gamma(2, 0.02, images))


@given(st.integers(1, 300), st.floats(0, 0.5), st.integers(0, 5))
def test_no_more_of_ones_own_photos_than_asked_for_are_refused(images: int, refuse: float, seed: int) -> None:
    photos = own(images, seed=seed)
    limits = limits_of(photos, refuse)
    unsure, unfamiliar = ~limits.are_sure(photos.probabilities), ~limits.are_familiar(photos.distances)
    refused = int((unsure | unfamiliar).sum())
    allowed = int(refuse * images + 1e-9)
    assert allowed - 2 <= refused <= allowed
    assert limits.images == images
    if allowed >= 20:
        assert 1.5 < unfamiliar.sum() / unsure.sum() < 6


def test_with_nothing_to_refuse_all_of_ones_own_photos_are_known() -> None:
    same = own(30)._replace(probabilities=np.array([[1.0, 0, 0]] * 30), distances=np.zeros(30))
    for photos in (own(30), same):
        limits = limits_of(photos, 0)
        assert limits.are_sure(photos.probabilities).all()
        assert limits.are_familiar(photos.distances).all()


def test_equal_photos_are_refused_together_or_not_at_all() -> None:
    photos = own(100)._replace(distances=np.full(100, 0.1))
    assert limits_of(photos, 0.1).are_familiar(photos.distances).all()


def test_sets_hold_the_label_of_as_many_new_photos_as_promised() -> None:
    held = []
    for seed in range(300):
        chosen, new = own(60, seed=seed), own(200, seed=seed + 1000)
        sets = limits_of(chosen, 0.02).sets(new.probabilities)
        held.append(sets[np.arange(200), new.labels].mean())
        assert (sets.sum(axis=1) >= 1).all()
    assert np.mean(held) == pytest.approx(HELD + 0.5 / 61, abs=0.012)


def test_few_photos_promise_no_set() -> None:
    assert least_in_set(own(18)) is None
    assert least_in_set(own(19)) == own(19).probabilities[np.arange(19), own(19).labels].min()
    with pytest.raises(ValueError, match="no set is promised"):
        limits_of(own(18), 0.02).sets(own(18).probabilities)
