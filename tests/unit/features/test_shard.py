"""Shards: each row is in one of them, and all are of about one size."""

import hashlib

import numpy as np
import pytest

from onepass.core import UserError, packed
from onepass.features.shard import MOST, Shard, parse_shard

KEYS = packed(sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(5000)))


@pytest.mark.parametrize("of", [1, 2, 3, 16, 1000])
def test_every_row_is_in_one_shard(of: int) -> None:
    masks = np.array([Shard(number, of).mask(KEYS) for number in range(1, of + 1)])
    assert (masks.sum(axis=0) == 1).all()


def test_shards_are_of_about_one_size() -> None:
    sizes = [int(Shard(number, 5).mask(KEYS).sum()) for number in range(1, 6)]
    assert max(sizes) < 1.15 * min(sizes)


def test_the_first_and_the_last_key_that_there_can_be_have_a_shard() -> None:
    ends = packed(["00" * 31 + "01", "ff" * 32])
    assert Shard(1, 7).mask(ends).tolist() == [True, False]
    assert Shard(7, 7).mask(ends).tolist() == [False, True]


def test_shards_may_be_counted_from_nought_as_slurm_does() -> None:
    assert {parse_shard(f"{number}/16") for number in range(16)} == {
        parse_shard(f"{number}/16") for number in range(1, 17)
    }


@pytest.mark.parametrize("given", ["", "3", "17/16", "-1/16", "1/0", "0/0", f"1/{MOST + 1}", "a/b", "1/2/3", "1.0/2"])
def test_what_is_no_shard_is_refused(given: str) -> None:
    with pytest.raises(UserError, match=r"^--shard: .* given; allowed: 1/N to N/N, such as 3/16, N at most 10,000"):
        parse_shard(given)
