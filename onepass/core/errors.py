"""The one exception for mistakes that the user can mend, and how a stage shows it."""

import sys
from collections.abc import Callable
from pathlib import Path


class UserError(Exception):
    """A message for the person who must act: what was expected, what was found, where, and what to do next."""


def run_stage(main: Callable[..., None]) -> None:
    """Runs ``main`` on the paths of the command line; a UserError ends the process with its message alone."""
    try:
        main(*map(Path, sys.argv[1:]))
    except UserError as error:
        sys.exit(f"\nonepass: {error}\n")


def listed(items: list[str], most: int = 5) -> str:
    """At most ``most`` of ``items``, a line each, and how many more there are."""
    lines = [f"  {item}" for item in items[:most]]
    if len(items) > most:
        lines.append(f"  ... and {len(items) - most} more")
    return "\n".join(lines)
