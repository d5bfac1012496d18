"""A pool behind an address, ``ONEPASS_POOL=s3://bucket/pool``: where machines that share no folder leave their rows.

Each machine's own pool stays what rows are read from: what others have sent is fetched into it first, and verified
there like every other row.
"""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from onepass.core import (
    AddressError,
    UserError,
    fetch,
    is_address,
    names_behind,
    send,
    unusable_protocol,
    write_atomically,
)
from onepass.photos import threads_for

POOL_VARIABLE = "ONEPASS_POOL"
LARGEST = 1 << 30  # bytes of a chunk
# Folder of an environment, then a chunk or the environment itself: nothing else is fetched.
NAMES = re.compile(r"([0-9a-f]{16})/([0-9a-f]{16}-[0-9]+\.npy|versions\.json)")


class TeamPool:
    """All pools of a fingerprint that a team has."""

    def __init__(self, address: str, folder: Path) -> None:
        """``folder``: where the same pools are on this machine."""
        self._address = f"{address.rstrip('/')}/{folder.name}"
        self._folder = folder

    def send(self, path: Path) -> None:
        """A file of the folder. UserError: it cannot be sent."""
        with self._reached():
            send(f"{self._address}/{path.relative_to(self._folder).as_posix()}", path.read_bytes())

    def fetch(self) -> None:
        """Whatever others have sent and is not here yet. UserError: it cannot be had."""
        with self._reached(), ThreadPoolExecutor(threads_for(any_remote=True)) as threads:
            known = [name for name in names_behind(self._address) if NAMES.fullmatch(name)]
            list(threads.map(self._bring, [name for name in known if not (self._folder / name).is_file()]))

    def _bring(self, name: str) -> None:
        write_atomically(self._folder / name, fetch(f"{self._address}/{name}", LARGEST), durable=False)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except AddressError as error:
            raise UserError(
                f"{POOL_VARIABLE}: {self._address} cannot be reached: {error.detail}. What was computed is kept on "
                "this machine; run the same command again when it can."
            ) from error


def team_pool(folder: Path) -> TeamPool | None:
    """The pool that the environment names; None where it names none.

    Args:
        folder: of a fingerprint's pools on this machine.

    Raises:
        UserError: it names what is no address that can be used here.

    """
    if not (given := os.environ.get(POOL_VARIABLE)):
        return None
    problem = unusable_protocol(given) if is_address(given) else "no address, such as s3://bucket/pool"
    if problem:
        raise UserError(f"{POOL_VARIABLE}: {given!r} given; {problem}.")
    return TeamPool(given, folder)
