"""Pictures of pages, and what to do where they cannot be taken."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image

from docs import screenshots
from onepass.core import UserError
from tests.browser.browser import needs_browser
from tests.builders import ROOT

STYLE = "body { background: #fff } @media (prefers-color-scheme: dark) { body { background: #000 } }"


@pytest.fixture
def page(tmp_path: Path) -> str:
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><style>{STYLE}</style>")
    return str(path)


def take(*arguments: str) -> None:
    screenshots.command.main(list(arguments), standalone_mode=False)


@needs_browser
@pytest.mark.parametrize(("scheme", "level"), [([], 255), (["--dark"], 0)])
def test_the_top_of_a_page_is_taken_light_or_dark(page: str, tmp_path: Path, scheme: list[str], level: int) -> None:
    take(page, str(tmp_path / "new" / "x.png"), "--width", "300", "--height", "200", *scheme)
    with Image.open(tmp_path / "new" / "x.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (300, 200))
        assert picture.convert("RGB").getpixel((150, 100)) == (level,) * 3


def test_what_is_missing_is_named_with_what_installs_it(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "CHROMIUM", "")
    with pytest.raises(UserError, match=r"no chromium, chromium-browser or google-chrome: run \.ci/install"):
        take(page, "x.png")
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(UserError, match=r"pictures of pages need playwright: `make \.venv/ready-to-test`"):
        take(page, "x.png")


def test_a_picture_of_another_kind_is_refused(page: str) -> None:
    with pytest.raises(click.UsageError, match=r"x\.jpg given; allowed: a \.png file") as refusal:
        take(page, "x.jpg")
    assert refusal.value.exit_code == 2


def test_a_page_that_is_not_there_is_refused_in_words() -> None:
    command = [sys.executable, "-m", "docs.screenshots", "no.html", "x.png"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "\nonepass: no.html is no file. `dvc repro` writes metrics/report.html, "
        "`python -m onepass compare --html PATH` the page of a comparison.\n\n"
    )
