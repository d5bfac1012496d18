"""Folds of a repeated cross-validation: even, by chance, and no group torn apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.evaluation import folds_of_groups

counts = st.lists(st.integers(5, 40), min_size=2, max_size=4)


@given(counts, st.integers(2, 5), st.integers(0, 1000))
@settings(deadline=None)
def test_every_fold_has_as_many_of_each_class_as_can_be(images: list[int], folds: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(images)), images)
    fold = folds_of_groups(labels, [], folds, seed)
    for number in range(len(images)):
        of_fold = np.bincount(fold[labels == number], minlength=folds)
        assert of_fold.max() - of_fold.min() <= 1


@given(counts, st.lists(st.integers(2, 5), max_size=6), st.integers(2, 5), st.integers(0, 1000))
@settings(deadline=None)
def test_no_group_is_torn_apart_and_all_others_even_it_out(
    images: list[int], sizes: list[int], folds: int, seed: int
) -> None:
    labels = np.repeat(np.arange(len(images)), images)
    order = np.random.RandomState(seed).permutation(len(labels))
    groups = [np.sort(group) for group in np.split(order, np.cumsum(sizes))[:-1] if len(group)]
    fold = folds_of_groups(labels, groups, folds, seed)
    assert ((fold >= 0) & (fold < folds)).all()
    assert all(len(set(fold[group])) == 1 for group in groups)
    alone = np.setdiff1d(np.arange(len(labels)), np.concatenate([*groups, []]))
    for number in range(len(images)):
        of_fold = np.bincount(fold[labels == number], minlength=folds)
        room = [fold[place] for place in alone if labels[place] == number]
        # Where one fold has two more than another, no photo that is alone lies in it.
        assert all(of_fold[taken] <= of_fold.min() + 1 for taken in room)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_deals_the_same_folds_and_another_one_others(seed: int) -> None:
    labels = np.arange(100) % 2
    again = folds_of_groups(labels, [], 5, seed)
    assert (folds_of_groups(labels, [], 5, seed) == again).all()
    assert (folds_of_groups(labels, [], 5, seed + 1) != again).any()
