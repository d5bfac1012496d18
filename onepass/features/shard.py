"""A share of the views for one of several machines: ``--shard 3/16``.

Which views are in a shard depends on their keys alone, so that machines that know nothing of each other share the work.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import Hashes, UserError, leading_bits

MOST = 10_000


class Shard(NamedTuple):
    """One of ``of`` shards."""

    number: int  # from 1
    of: int

    def __str__(self) -> str:
        """As part of a file name."""
        return f"-{self.number}-of-{self.of}"

    def mask(self, keys: Hashes) -> NDArray[np.bool_]:
        """Which keys are in it: (keys,)."""
        found: NDArray[np.bool_] = leading_bits(keys) * self.of >> 32 == self.number - 1
        return found


def parse_shard(given: str) -> Shard:
    """From ``3/16``. Shards that are counted from 0 are taken, too: 0/16 is 16/16.

    Raises:
        UserError: it is something else.

    """
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", given)
    if not found or not 1 <= int(found[2]) <= MOST or int(found[1]) > int(found[2]):
        raise UserError(f"--shard: {given!r} given; allowed: 1/N to N/N, such as 3/16, N at most {MOST:,}.")
    return Shard(int(found[1]) or int(found[2]), int(found[2]))
