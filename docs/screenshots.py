"""Takes a picture of the top of a page, as the README shows it.

    python -m tools.screenshots PAGE PICTURE [--width PIXELS] [--height PIXELS] [--dark]

PAGE is a file that evaluate, tools.report or tools.compare wrote, PICTURE a .png file. Needs playwright
(`pip install .[dev]`) and Chromium (.ci/install-browser).
"""

import argparse
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from onepass.core import UserError, write_atomically

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("page", metavar="PAGE", type=Path, help="a .html file")
    parser.add_argument("picture", metavar="PICTURE", type=Path, help="the .png file to write")
    parser.add_argument("--width", metavar="PIXELS", type=int, default=1280)
    parser.add_argument("--height", metavar="PIXELS", type=int, default=900)
    parser.add_argument("--dark", action="store_true", help="as it looks on a dark screen")
    given = parser.parse_args(arguments)
    if not given.page.is_file():
        raise UserError(f"{given.page} is no file. `dvc repro` writes metrics/report.html; so does tools.report.")
    if given.picture.suffix.lower() != ".png":
        parser.error(f"PICTURE: {given.picture} given; allowed: a .png file")
    with (
        started() as browser,
        browser.new_page(
            viewport={"width": given.width, "height": given.height}, color_scheme="dark" if given.dark else "light"
        ) as page,
    ):
        page.goto(given.page.resolve().as_uri())
        content = page.screenshot()
    write_atomically(given.picture, small(content))


@contextmanager
def started() -> Iterator["Browser"]:
    """Chromium without a window, which is gone when the block ends. UserError where it is not installed."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra that few need
    except ImportError as error:
        raise UserError("pictures of pages need playwright: `pip install .[dev]`.") from error
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
    main()
