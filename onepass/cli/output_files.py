"""Options that name a file to write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from onepass.core import UserError

Command = TypeVar("Command", bound=Callable[..., Any])


def ending_in(*suffixes: str) -> Any:
    """A check of an option that is a path: it must end in one of these."""

    def check(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
        if path and path.suffix.lower() not in suffixes:
            raise click.BadParameter(f"{path} given; allowed: a {' or '.join(suffixes)} file")
        return path

    return check


def plot_option(help_: str) -> Callable[[Command], Command]:
    """``--plot PATH``, a picture of what is printed."""
    return click.option(
        "--plot",
        metavar="PATH",
        type=click.Path(path_type=Path),
        callback=ending_in(".png", ".svg"),
        help=help_,
    )


@contextmanager
def written(option: str, path: Path) -> Iterator[None]:
    """UserError where the file of an option cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{option}: {path} cannot be written: {error.strerror}.") from error
