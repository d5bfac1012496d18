"""A real browser for tests of pages: Chromium without a window, offline. ``.ci/install-browser`` installs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from docs.screenshots import CHROMIUM

if not CHROMIUM and os.environ.get("ONEPASS_REQUIRE_BROWSER"):
    raise RuntimeError("ONEPASS_REQUIRE_BROWSER is set, but there is no chromium (run .ci/install-browser)")

Scheme = Literal["light", "dark"]
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium (run .ci/install-browser)")


class Opened(NamedTuple):
    """A page, and what happened since it was opened."""

    page: Page
    requests: list[str]  # addresses, without the page's own and without data in the page
    messages: list[str]  # of the console, and errors


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1280, scheme: Scheme = "light") -> Iterator[Opened]:
    """Opens a file in a window of its own."""
    with browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        seen = Opened(page, [], [])
        own = (path.as_uri(), "data:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else seen.requests.append(asked.url))
        page.on("console", lambda message: seen.messages.append(message.text))
        page.on("pageerror", lambda error: seen.messages.append(str(error)))
        page.goto(path.as_uri())
        yield seen


def serious_findings(page: Page) -> list[str]:
    """What axe finds on a page that keeps people from using it."""
    return [
        f"{finding['id']}: {node['html'][:200]} {node['failureSummary']}"
        for finding in Axe().run(page).response["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]
