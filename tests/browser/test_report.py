"""metrics/report.html, made by the real stages and looked at in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs.screenshots import started
from onepass.core import UserError
from onepass.machine_facts import key_of, record
from onepass.report import WRITE_REPORT_TODO
from stages import evaluate
from tests.browser.browser import Scheme, needs_browser, opened, serious_findings
from tests.browser.report_project import (
    FEATURES,
    FINDING,
    HEAD,
    IMAGE,
    OUT,
    PREPARED,
    SCRIPT,
    TRAINING,
    finished_project,
)
from tests.builders import Project


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished_project(tmp_path_factory.mktemp("report"))


@pytest.fixture
def workspace(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished project, entered; its photos are still the original's."""
    monkeypatch.chdir(finished.copy(tmp_path / "project").folder)
    return Path.cwd()


@pytest.fixture(scope="module")
def report(finished: Project) -> Path:
    return finished.folder / OUT / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


def again() -> str:
    WRITE_REPORT_TODO(PREPARED, FEATURES, HEAD, TRAINING, OUT)
    return (OUT / "report.html").read_text()


@needs_browser
def test_no_request_leaves_the_page_the_console_stays_silent_and_every_picture_loads(
    browser: Browser, report: Path
) -> None:
    with opened(browser, report) as (page, requests, messages):
        assert page.locator("img").count() > 20
        assert page.evaluate("[...document.images].filter(i => !i.complete || i.naturalWidth == 0).length") == 0
    assert requests == []
    assert messages == []


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_axe_finds_nothing_serious_and_the_page_does_not_scroll_sideways(
    browser: Browser, report: Path, width: int, scheme: Scheme
) -> None:
    with opened(browser, report, width, scheme) as (page, _, _):
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert serious_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
def test_names_of_classes_and_files_show_as_text(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, _, _):
        assert page.get_by_text(SCRIPT, exact=True).first.is_visible()
        assert page.get_by_text(f"{IMAGE}1").first.is_visible()
        assert page.get_by_text(FINDING["evidence"], exact=True).is_visible()
        assert page.locator("script, img[src=x], b").count() == 0


@needs_browser
def test_the_keyboard_reaches_the_content_every_wide_table_and_every_folded_part(
    browser: Browser, report: Path
) -> None:
    with opened(browser, report) as (page, _, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        reached = []
        for _ in range(expected := page.locator(".scroll, summary").count()):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        assert expected > 5
        assert set(reached) == {"scroll", "SUMMARY"}


def test_the_result_is_one_sentence_with_its_interval_and_its_caveat(report: Path) -> None:
    metrics = json.loads(report.with_name("metrics.json").read_text())
    low, accuracy, high = (f"{metrics[key] * 100:.1f}\u202f%" for key in ("accuracy_low", "accuracy", "accuracy_high"))
    text = report.read_text()
    assert f"{accuracy} of {metrics['images']} validation photos are classified correctly" in text
    assert f"interval from {low} to {high}." in text
    assert "validation photos also chose which epoch to keep" in text


def test_quarantine_and_the_revision_of_the_code_are_told(finished: Project, report: Path) -> None:
    text = report.read_text()
    assert "zero byte" in text and "broken.jpg" in text
    assert finished.run("git", "rev-parse", "HEAD").strip() in text
    assert "and changes to params.yaml" in text
    assert "not recorded" not in text  # the stages said how long they took


def test_what_this_machine_remembers_of_the_runs_is_told(workspace: Path) -> None:
    made = key_of((FEATURES / "fingerprint.json").read_bytes(), (PREPARED / "wanted_views.txt").read_bytes())
    record("extract-features", made, {"seconds": 62.4, "reused": 1234, "computed": 5})
    shutil.rmtree(workspace / HEAD)
    HEAD.mkdir()
    (HEAD / "head.json").write_text("{}")
    row = again().split('<th scope="row">extract-features</th>')[1]
    assert re.findall(r">([^<\n]+)</t", row)[:5] == [
        "1 min 2 s",
        "1,234",
        "5",
        "train-head",
        "not recorded on this machine",
    ]


def test_the_same_files_and_facts_give_the_same_bytes(workspace: Path) -> None:
    before = (workspace / OUT / "report.html").read_bytes()
    assert again().encode() == before


def test_photos_that_are_gone_or_changed_leave_a_place_that_says_so(
    finished: Project, workspace: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(finished.folder.parent / "photos", tmp_path / "photos"))
    Project(workspace).set({"data.root": str(photos)})
    for number, file in enumerate(photos.glob("*.png")):
        file.write_bytes(b"another") if number % 2 else file.unlink()
    text = again()
    assert "Photo not shown: No such file or directory" in text
    assert "Photo not shown: the file has changed since" in text
    assert "<img" not in text


def test_a_file_name_that_is_no_utf8_shows_its_bytes(workspace: Path) -> None:
    path = workspace / OUT / "predictions.csv"
    content = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(line.replace(b".png", b"\xe9.png") for line in content))
    assert "\\xe9.png" in again()


def test_a_head_that_was_fitted_in_one_step_has_no_curves_but_its_numbers(workspace: Path) -> None:
    for path in (workspace / TRAINING).rglob("*.tsv"):
        name = path.stem
        path.write_text(f"step\t{name}\n0\t0.25\n")
    path = workspace / OUT / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"best_epoch": 0, "epochs": 0}))
    text = again()
    assert "polyline" not in text
    assert text.count("0.2500") == 4


def test_a_missing_or_cut_off_file_is_named_with_what_to_do(workspace: Path) -> None:
    path = workspace / OUT / "predictions.csv"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"metrics/predictions.csv, row 61, cannot be read.*`dvc repro` writes"):
        again()
    (workspace / OUT / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"metrics/metrics.json cannot be read.*`dvc repro`"):
        again()


def test_a_report_that_fails_is_told_and_loses_no_metrics(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / OUT / "metrics.json").unlink()

    def fail(*_folders: Path) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr(evaluate, "write_report", fail)
    evaluate.main(PREPARED, FEATURES, HEAD, TRAINING, OUT)
    assert "report.html was not written" in (said := capsys.readouterr().out)
    assert "the disk is full" in said and "python -m onepass report" in said
    assert (workspace / OUT / "metrics.json").is_file()
    assert not (workspace / OUT / "report.html").exists()
