"""metrics/report.html, made by the real stages and looked at in a real browser."""

import csv
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs.screenshots import started
from onepass.core import UserError, read_sealed_json, write_sealed_json
from onepass.evaluation import read_classes, read_nearest
from onepass.features import FINGERPRINT_FILE
from stages import evaluate
from tests.browser.browser import Scheme, needs_browser, opened, serious_findings
from tests.browser.report_project import (
    FEATURES,
    FINDING,
    FOLDERS,
    HEAD,
    IMAGE,
    OUT,
    PREPARED,
    SCRIPT,
    TRAINING,
    finished_project,
    run_from_training,
    run_report,
)
from tests.builders import Project

ENDLESS = "x" * 80  # a word wider than any cell
MANY_LABELS = (
    "sunrise",
    "rain-smudge on glass",
    "overexposed",
    "sun flare",
    "night",
    "thunderstorm",
    "cat",
    "fog",
    ENDLESS,
)

# The pictures of which a part is hidden: by their own frame, or by an element around them.
CROPPED = """[...document.images].filter(image => {
  const box = image.getBoundingClientRect();
  const alike = Math.abs(image.naturalWidth * box.height / (image.naturalHeight * box.width) - 1) < 0.05;
  if (!alike && !["contain", "scale-down"].includes(getComputedStyle(image).objectFit)) return true;
  for (let around = image.parentElement; around; around = around.parentElement) {
    const edge = around.getBoundingClientRect();
    const inside = box.left >= edge.left - 1 && box.right <= edge.right + 1
      && box.top >= edge.top - 1 && box.bottom <= edge.bottom + 1;
    if (!inside && getComputedStyle(around).overflow !== "visible") return true;
  }
  return box.bottom > image.closest("figure").querySelector("figcaption").getBoundingClientRect().top + 1;
}).map(image => image.alt)"""

# The words of names that stand on more than one line. A word ends at a space or after a hyphen.
BROKEN_WORDS = r"""[...document.querySelectorAll(".name")].flatMap(name => {
  const text = name.firstChild;
  return [...text.data.matchAll(/[^\s-]+-?/g)].filter(word => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return new Set([...range.getClientRects()].map(line => Math.round(line.top))).size > 1;
  }).map(word => word[0]);
})"""


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
def report_of_many_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_project(tmp_path_factory.mktemp("many"), MANY_LABELS).folder / OUT / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


def setting(key: str, value: object) -> str:
    """A setting of the run, as the page has it."""
    return f"<dt><code>{key}</code></dt><dd>{value}</dd>"


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
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("page_of", ["report", "report_of_many_classes"])
def test_photos_are_shown_whole_whatever_their_shape(
    browser: Browser, request: pytest.FixtureRequest, width: int, page_of: str
) -> None:
    with opened(browser, request.getfixturevalue(page_of), width) as (page, _, _):
        assert page.locator(".mistakes img").count() > 5
        assert page.locator(".samples img").count() > 5
        assert page.evaluate(CROPPED) == []


@needs_browser
@pytest.mark.parametrize("width", [400, 1280])
def test_names_of_classes_break_only_between_words(browser: Browser, report_of_many_classes: Path, width: int) -> None:
    with opened(browser, report_of_many_classes, width) as (page, _, _):
        assert page.locator(".matrix thead .name").all_inner_texts() == sorted(MANY_LABELS)
        assert set(page.evaluate(BROKEN_WORDS)) <= {ENDLESS}


@needs_browser
@pytest.mark.parametrize("width", [400, 1280])
def test_a_word_wider_than_its_cell_breaks_and_the_page_fits_the_window(
    browser: Browser, report_of_many_classes: Path, width: int
) -> None:
    with opened(browser, report_of_many_classes, width) as (page, _, _):
        assert ENDLESS in page.evaluate(BROKEN_WORDS)
        cells = page.locator("th", has_text=ENDLESS).evaluate_all("all => all.map(cell => cell.offsetWidth)")
        assert len(cells) > 2
        assert max(cells) <= width * 0.6
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
def test_the_page_of_many_classes_is_as_accessible(browser: Browser, report_of_many_classes: Path) -> None:
    with opened(browser, report_of_many_classes, 400) as (page, _, _):
        assert serious_findings(page) == []


@needs_browser
def test_bars_are_as_high_on_the_axis_as_the_share_of_photos_they_stand_for(browser: Browser, report: Path) -> None:
    with (report.parent / "reliability.csv").open(newline="") as file:
        images = [int(row["images"]) for row in csv.DictReader(file)]
    with opened(browser, report) as (page, _, _):
        figure = page.locator("figure", has=page.locator("svg .share"))
        axis = figure.locator("svg .grid").evaluate_all("lines => lines.map(line => line.y1.baseVal.value)")
        bars = figure.locator("svg .share").evaluate_all(
            "lines => lines.map(({y1, y2}) => y1.baseVal.value - y2.baseVal.value)"
        )
        assert "share of the photos: the height of the bar" in figure.locator("figcaption").inner_text()
        numbers = figure.locator("svg text").all_text_contents()
    length = max(axis) - min(axis)
    assert [bar / length for bar in bars] == pytest.approx([count / sum(images) for count in images], abs=1e-3)
    assert {"0\u202f%", "100\u202f%"} <= set(numbers)


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
        for _ in range(expected := page.locator(".scroll:not(details *), summary, .matrix button").count()):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        assert expected > 5
        assert set(reached) == {"scroll", "SUMMARY", "BUTTON"}


@needs_browser
def test_a_number_of_the_confusion_matrix_shows_its_photos_and_the_keyboard_alone_does_it(
    browser: Browser, report: Path
) -> None:
    with (report.parent / "confusion.csv").open(newline="") as file:
        cells = Counter((row["label"], row["predicted"]) for row in csv.DictReader(file))
    with opened(browser, report) as (page, _, _):
        buttons = page.locator(".matrix button")
        assert buttons.count() == len(cells)
        for number in range(buttons.count()):
            button = buttons.nth(number)
            shown = page.locator(f"#{button.get_attribute('popovertarget')}")
            assert not shown.is_visible()
            button.focus()
            page.keyboard.press("Enter")
            shown.wait_for(state="visible")
            pictures = shown.locator("img")
            assert 1 <= pictures.count() <= int(button.text_content() or "")
            assert pictures.first.evaluate("image => image.complete && image.naturalWidth > 0")
            assert not serious_findings(page)
            page.keyboard.press("Escape")
            shown.wait_for(state="hidden")


@needs_browser
def test_beside_a_mistake_stand_the_training_photos_that_are_most_like_it(browser: Browser, report: Path) -> None:
    nearest = read_nearest(report.parent / "nearest.csv")
    with opened(browser, report) as (page, _, _):
        mistakes = page.locator(".mistakes > li")
        assert mistakes.count() == min(len(nearest), 24) > 0
        for number, rows in enumerate(list(nearest.values())[: mistakes.count()]):
            pictures = mistakes.nth(number).locator(".nearest img")
            assert [picture.get_attribute("alt") for picture in pictures.all()] == [
                f"{row.label}: {row.file}" for row in rows
            ]


def test_the_result_is_one_sentence_with_its_interval_and_its_caveat(report: Path) -> None:
    metrics = json.loads(report.with_name("metrics.json").read_text())
    low, accuracy, high = (f"{metrics[key] * 100:.1f}\u202f%" for key in ("accuracy_low", "accuracy", "accuracy_high"))
    text = report.read_text()
    assert f"{accuracy} of {metrics['images']} validation photos are classified correctly" in text
    assert f"interval from {low} to {high}." in text
    assert "validation photos also chose which epoch to keep" in text


@needs_browser
def test_scores_are_percent_and_other_figures_are_named_with_their_unit(browser: Browser, report: Path) -> None:
    metrics = json.loads(report.with_name("metrics.json").read_text())
    with opened(browser, report) as (page, _, _):
        figures = page.locator(".figures").inner_text()
        scores = page.get_by_role("table", name="Scores on the validation photos")
        f1 = scores.locator("tbody tr td:last-child").all_inner_texts()
        kept = page.get_by_role("table", name="At the kept epoch")
        accuracy = kept.get_by_role("row", name="Accuracy").locator("td").all_inner_texts()
        assert kept.get_by_role("row", name="Log loss, nats").count() == 1
        said = page.inner_text("main")
    assert f"{metrics['log_loss']:.3f} nats" in " ".join(figures.split())
    points = metrics["expected_calibration_error"] * 100
    assert f"{points:.1f} percentage points" in " ".join(figures.split())
    assert f"{metrics['roc_auc']:.3f} from 0 to 1" in " ".join(figures.split())
    classes = read_classes(report.parent / "classes.csv")
    lowest = sorted(classes, key=lambda scores: (scores.recall, scores.label))
    assert f1 == [f"{scores.f1 * 100:.1f}\u202f%" for scores in lowest]
    assert len(accuracy) == 2
    assert all(re.fullmatch(r"\d+\.\d\d\u202f%", text) for text in accuracy)
    assert f"{metrics['accuracy']:.3f}" not in said.replace(f"{metrics['log_loss']:.3f}", "")


def test_why_accuracy_in_training_may_stand_twice_is_told_once(report: Path) -> None:
    text = report.read_text()
    assert text.count("measured while the head learns, and with dropout") == 1
    assert text.count("of the kept head, without dropout") == 1


def test_a_network_of_ones_own_is_named_as_such(workspace: Path) -> None:
    path = workspace / FEATURES / FINGERPRINT_FILE
    content = read_sealed_json(path.read_bytes())
    content["fingerprint"] |= {"architecture": "keras file", "layer": "top"}
    write_sealed_json(path, content)
    text = run_report()
    assert 'passed a network from a .keras file up to the layer <bdi class="name">top</bdi>' in text
    assert "passed <bdi" not in text


def test_quarantine_is_told(report: Path) -> None:
    text = report.read_text()
    assert "zero byte" in text and "broken.jpg" in text


def test_the_settings_are_those_of_the_run_that_made_the_numbers(workspace: Path) -> None:
    params = "{params.yaml: {train: {learning_rate: 0.7}}}"  # of a run before, which nobody should tell
    (workspace / "dvc.lock").write_text(f"schema: '2.0'\nstages: {{train-head: {{cmd: x, params: {params}}}}}\n")
    text = run_report()
    assert setting("train.learning_rate", "0.001") in text
    assert setting("train.patience", 10) in text
    assert setting("split.test_fraction", "0.0") in text
    Project(workspace).set({"train.learning_rate": 0.25})
    run_from_training()
    text = (OUT / "report.html").read_text()
    assert setting("train.learning_rate", "0.25") in text
    assert "<dd>0.001</dd>" not in text
    assert "0.7</dd>" not in text


def test_the_setting_of_a_key_that_params_leave_out_is_its_default(workspace: Path) -> None:
    path = workspace / "params.yaml"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("  patience:")))
    assert setting("train.patience", 10) in run_report()


def test_the_bytes_depend_on_nothing_but_params_and_what_the_stages_wrote(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on the folder, the day, git, DVC or what this machine remembers: of all these the copy has none."""
    for name in ("params.yaml", *FOLDERS[:3], "metrics"):
        source, copy = finished.folder / name, tmp_path / "elsewhere" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1e9, 1e9))
    made = tmp_path / "elsewhere" / OUT / "report.html"
    made.unlink()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    run_report()
    assert made.read_bytes() == (finished.folder / OUT / "report.html").read_bytes()


def test_neither_times_nor_the_revision_are_told(finished: Project, report: Path) -> None:
    text = report.read_text()
    assert finished.run("git", "rev-parse", "HEAD").strip() not in text
    assert "dvc.lock" not in text
    assert "seconds" not in text and "on this machine" not in text


def test_photos_that_are_there_are_inside_the_page(report: Path) -> None:
    text = report.read_text()
    assert text.count('<img src="data:image/webp;base64,') > 20
    assert "Photo not shown" not in text


def test_photos_that_are_gone_or_changed_leave_a_place_that_says_so(
    finished: Project, workspace: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(finished.folder.parent / "photos", tmp_path / "photos"))
    Project(workspace).set({"data.root": str(photos)})
    for number, file in enumerate(photos.glob("*.png")):
        file.write_bytes(b"another") if number % 2 else file.unlink()
    text = run_report()
    assert "Photo not shown: No such file or directory" in text
    assert "Photo not shown: the file has changed since" in text
    assert "<img" not in text


def test_a_file_name_that_is_no_utf8_shows_its_bytes(workspace: Path) -> None:
    path = workspace / OUT / "predictions.csv"
    content = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(line.replace(b".png", b"\xe9.png") for line in content))
    assert "\\xe9.png" in run_report()


def test_a_head_that_was_fitted_in_one_step_has_no_curves_but_its_numbers(workspace: Path) -> None:
    for path in (workspace / TRAINING).rglob("*.tsv"):
        name = path.stem
        path.write_text(f"step\t{name}\n0\t0.25\n")
    path = workspace / OUT / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"best_epoch": 0, "epochs": 0}))
    text = run_report()
    assert "polyline" not in text
    assert text.count("0.2500") == 2  # log loss
    assert text.count("25.00\u202f%") == 2  # accuracy
    assert "while the head learns" not in text


def test_a_missing_or_cut_off_file_is_named_with_what_to_do(workspace: Path) -> None:
    path = workspace / OUT / "predictions.csv"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"metrics/predictions.csv, row 61, cannot be read.*`dvc repro` writes"):
        run_report()
    (workspace / OUT / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"metrics/metrics.json is missing.*`dvc repro`"):
        run_report()


def test_evaluate_writes_no_page_and_a_report_that_fails_loses_no_metrics(workspace: Path) -> None:
    (workspace / OUT / "metrics.json").unlink()
    (workspace / OUT / "report.html").unlink()
    evaluate.main(PREPARED, FEATURES, HEAD, TRAINING, OUT)
    assert not (workspace / OUT / "report.html").exists()
    content = (workspace / OUT / "metrics.json").read_bytes()
    (workspace / OUT / "findings.json").write_text("[")
    with pytest.raises(UserError, match=r"metrics/findings.json cannot be read"):
        run_report()
    assert (workspace / OUT / "metrics.json").read_bytes() == content
    assert not (workspace / OUT / "report.html").exists()


def test_the_stage_says_in_words_why_it_failed(workspace: Path) -> None:
    (workspace / OUT / "metrics.json").unlink()
    output = Project(workspace).run("python", "-m", "stages.report", *FOLDERS, expect=1)
    assert output == ("\nonepass: metrics/metrics.json is missing. `dvc repro` writes it; `dvc pull` fetches it.\n\n")
