"""Pictures of the tops of pages, as the README shows them.

Needs playwright (`make .venv/ready-to-test`) and Chromium (.ci/install-browser).
"""

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from PIL import Image

from onepass.core import UserError, write_atomically

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.argument("page", type=click.Path(path_type=Path))
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--width", metavar="PIXELS", type=click.IntRange(min=1), default=1280, show_default=True)
@click.option("--height", metavar="PIXELS", type=click.IntRange(min=1), default=900, show_default=True)
@click.option("--dark", is_flag=True, help="As it looks on a dark screen.")
def command(page: Path, picture: Path, width: int, height: int, dark: bool) -> None:
    """Take a picture of the top of a page.

    PAGE is a .html file that the stage report or `python -m onepass compare` wrote, PICTURE the .png file to write.

    Example: python -m docs.screenshots metrics/report.html report.png --dark
    """
    if not page.is_file():
        raise UserError(
            f"{page} is no file. `dvc repro` writes metrics/report.html, "
            "`python -m onepass compare --html PATH` the page of a comparison."
        )
    if picture.suffix.lower() != ".png":
        raise click.BadParameter(f"{picture} given; allowed: a .png file", param_hint="PICTURE")
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    with (
        started() as browser,
        browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme) as opened,
    ):
        opened.goto(page.resolve().as_uri())
        content = opened.screenshot()
    write_atomically(picture, small(content))


@contextmanager
def started() -> Iterator["Browser"]:
    """Chromium without a window, which is gone when the block ends. UserError where it is not installed."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra that few need
    except ImportError as error:
        raise UserError("pictures of pages need playwright: `make .venv/ready-to-test`.") from error
    if not CHROMIUM:
        raise UserError("there is no chromium, chromium-browser or google-chrome: run .ci/install-browser.")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as browser:
        yield browser


def small(content: bytes) -> bytes:
    """The same PNG in 256 colours, about a third as large."""
    picture = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").quantize(256).save(picture, format="png", optimize=True)
    return picture.getvalue()


if __name__ == "__main__":
    try:
        command(prog_name="python -m docs.screenshots")
    except UserError as error:
        sys.exit(f"\nonepass: {error}\n")
