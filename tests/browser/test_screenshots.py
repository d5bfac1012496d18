"""Pictures of pages, and what to do where they cannot be taken."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from tools import screenshots

from tests.browser.browser import needs_browser

STYLE = "body { background: #fff } @media (prefers-color-scheme: dark) { body { background: #000 } }"


@pytest.fixture
def page(tmp_path: Path) -> str:
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><style>{STYLE}</style>")
    return str(path)


def refused(*arguments: str) -> str:
    with pytest.raises(SystemExit) as refusal:
        screenshots.main(list(arguments))
    return str(refusal.value)


@needs_browser
@pytest.mark.parametrize(("scheme", "level"), [([], 255), (["--dark"], 0)])
def test_the_top_of_a_page_is_taken_light_or_dark(page: str, tmp_path: Path, scheme: list[str], level: int) -> None:
    screenshots.main([page, str(tmp_path / "new" / "x.png"), "--width", "300", "--height", "200", *scheme])
    with Image.open(tmp_path / "new" / "x.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (300, 200))
        assert picture.convert("RGB").getpixel((150, 100)) == (level,) * 3


def test_what_is_missing_is_named_with_what_installs_it(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "CHROMIUM", "")
    assert "there is no chromium, chromium-browser or google-chrome: run .ci/install" in refused(page, "x.png")
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    assert "pictures of pages need playwright: `pip install .[dev]`" in refused(page, "x.png")


def test_a_page_that_is_not_there_and_a_picture_of_another_kind_are_refused(page: str) -> None:
    assert "no.html is no file. `dvc repro` writes metrics/report.html" in refused("no.html", "x.png")
    assert refused(page, "x.jpg") == "2"
