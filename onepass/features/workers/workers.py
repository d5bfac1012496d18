"""What workers are, and which were chosen."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onepass.core import UserError
from onepass.features.work import Job, Saved

VARIABLE = "ONEPASS_WORKERS"
Compute = Callable[[Job], Iterator[Saved]]


@dataclass(frozen=True)
class Workers:
    """A way to compute rows."""

    allowed: str  # how the variable is written, for messages
    chosen_by: Callable[[str], bool]  # whether a value of the variable means these
    compute: Callable[[str], Compute]  # from that value


KINDS: list[Workers] = []


def register_workers(workers: Workers) -> Workers:
    """Makes a kind of workers known."""
    KINDS.append(workers)
    return workers


def chosen_workers() -> Compute:
    """Those that the environment names. UserError: there are no such workers."""
    given = os.environ.get(VARIABLE, "") or "local"
    for kind in KINDS:
        if kind.chosen_by(given):
            return kind.compute(given)
    allowed = ", ".join(kind.allowed for kind in KINDS)
    raise UserError(f"{VARIABLE}: {given!r} given; allowed: {allowed}.")
