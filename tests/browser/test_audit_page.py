"""data/audit.html, made by the real stage and used in a real browser."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs.screenshots import started
from stages import audit
from tests.browser.browser import Scheme, needs_browser, opened, serious_findings
from tests.browser.report_project import FEATURES, PREPARED, SCRIPT, finished_project

pytestmark = [pytest.mark.more, needs_browser]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of noise in classes with odd names: heads are sure of nothing, so they doubt many labels."""
    project = finished_project(tmp_path_factory.mktemp("audit")).folder
    with contextlib.chdir(project):
        audit.main(PREPARED, FEATURES, Path("data"), Path("data/probe"))
    return project


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "data/audit.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_no_request_leaves_the_page_and_everyone_can_use_it(
    browser: Browser, folder: Path, width: int, scheme: Scheme
) -> None:
    with opened(browser, folder / "data/audit.html", width, scheme) as (page, requests, messages):
        assert page.locator("figure img").count() > 5
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert requests == []
    assert messages == []
    assert "label" in {row["kind"] for row in rows(folder)}
    assert SCRIPT not in (folder / "data/audit.html").read_text()


def test_decisions_are_written_by_the_keyboard_alone(browser: Browser, folder: Path, tmp_path: Path) -> None:
    (first, *_) = [row for row in rows(folder) if row["kind"] == "label"]
    with opened(browser, folder / "data/audit.html") as (page, _, messages):
        button = page.locator("#download")
        assert button.is_disabled()
        chosen = page.locator(f'select[data-hash="{first["hash"]}"]').first
        chosen.focus()
        page.keyboard.press("ArrowDown")
        other = page.locator(f'select:not([data-hash="{first["hash"]}"])').first
        other.select_option("drop")
        assert page.locator("#decided").inner_text() == "2 decisions"
        button.focus()
        with page.expect_download() as waiting:
            page.keyboard.press("Enter")
        waiting.value.save_as(tmp_path / "fixes.csv")
        dropped = other.get_attribute("data-hash")
    assert messages == []
    with (tmp_path / "fixes.csv").open(newline="") as file:
        written = list(csv.reader(file))
    assert written[0] == ["hash", "label"]
    assert {tuple(line) for line in written[1:]} == {(first["hash"], first["suggested"]), (dropped, "drop")}


def test_the_map_shows_the_photo_that_is_pointed_at_and_the_arrow_keys_go_on_from_it(
    browser: Browser, folder: Path
) -> None:
    with opened(browser, folder / "data/audit.html") as (page, _, messages):
        dots = page.locator(".map circle")
        files = [dot.get_attribute("data-file") for dot in dots.all()]
        assert len(files) == 60
        picture = page.locator(".pointed img")
        assert not picture.is_visible()
        dots.nth(5).hover(force=True)
        assert picture.get_attribute("alt") in files
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
        page.locator(".map").focus()
        seen = set()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
            seen.add(picture.get_attribute("alt"))
        assert len(seen) >= 3
    assert messages == []


def test_beside_a_suspect_stand_training_photos(browser: Browser, folder: Path) -> None:
    suspects = {row["file"] for row in rows(folder) if row["kind"] == "label"}
    with opened(browser, folder / "data/audit.html") as (page, _, _):
        near = page.locator("#label .nearest img")
        assert near.count() > 0
        assert len({picture.get_attribute("alt") for picture in near.all()} - suspects) > 0


def test_the_same_photos_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir()
    with contextlib.chdir(folder):
        audit.main(PREPARED, FEATURES, tmp_path, tmp_path / "probe")
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert len(written) == 5
    assert all((folder / "data" / name).read_bytes() == (tmp_path / name).read_bytes() for name in written)


def test_all_suggestions_can_be_taken_at_once(browser: Browser, folder: Path) -> None:
    suspects = {row["hash"] for row in rows(folder) if row["kind"] == "label" and row["split"] == "train"}
    with opened(browser, folder / "data/audit.html") as (page, _, _):
        page.locator('button[data-all="label"]').click()
        assert page.locator("#decided").inner_text() == f"{len(suspects)} decisions"
