"""Options that name a file to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from onepass.core import UserError


def ending_in(*suffixes: str) -> Any:
    """A check of an option that is a path: it must end in one of these."""

    def check(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
        if path and path.suffix.lower() not in suffixes:
            raise click.BadParameter(f"{path} given; allowed: a {' or '.join(suffixes)} file")
        return path

    return check


@contextmanager
def written(option: str, path: Path) -> Iterator[None]:
    """UserError where the file of an option cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{option}: {path} cannot be written: {error.strerror}.") from error
