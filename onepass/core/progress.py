"""How far long work is: a bar in a terminal, and a line every half minute where there is none (logs of CI, nohup)."""

import sys
from typing import Any

from tqdm import tqdm

SILENCE = 30.0  # seconds between two lines


class _Lines:
    """A stream on which each state of a bar is a line."""

    def write(self, text: str) -> None:
        if state := text.strip("\r\n "):
            print(state, file=sys.stderr, flush=True)

    def flush(self) -> None:
        """Every line is flushed already."""


def progress_bar(total: int, what: str, unit: str, disable: bool = False) -> Any:
    """A bar of tqdm, to be updated by numbers of done units, and used as a context.

    Args:
        what: the name of the work.
        unit: of what there are ``total``, in the plural.
        disable: say nothing, because something else is being written to the same terminal.

    """
    if sys.stderr.isatty():
        return tqdm(total=total, desc=what, unit=f" {unit}", disable=disable)
    return tqdm(
        total=total,
        desc=what,
        unit=f" {unit}",
        bar_format="{desc}: {n_fmt} of {total_fmt}{unit}, {rate_fmt}, {remaining} left{postfix}",
        mininterval=SILENCE,
        delay=SILENCE,  # short work says nothing
        miniters=1,
        file=_Lines(),
        disable=disable,
    )
