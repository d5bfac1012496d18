"""The page of a comparison, looked at in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs.screenshots import started
from onepass.cli.compare import repeated
from onepass.comparison import Experiment, against_the_baseline, against_the_best, comparison_page, notes, ranked
from onepass.comparison.page import differing_files, differing_params
from tests.browser.browser import Scheme, needs_browser, opened, serious_findings
from tests.unit.comparison.test_verdict import experiment

SCRIPT = "<script>alert(1)</script>"
LONG = "an-experiment-whose-name-goes-on-" * 4
PARAMS = {"train.seed": 0, "head.kind": "linear", "head.hidden_units": [64, 32], "train.epochs": 3}
SOURCES = {"stages/train_head.py": "1", "photos": "2"}


def runs() -> list[Experiment]:
    """Two seeds of one recipe, a name to escape, one to break, and the optimism of a validation split."""
    return [
        experiment("best", 1, 2, recipe="best", params=PARAMS, sources=SOURCES),
        experiment("best-1", 2, 3, 4, recipe="best", params=PARAMS | {"train.seed": 1}, sources=SOURCES, seeds=[1, 0]),
        experiment(SCRIPT, *range(6), params=PARAMS | {"head.kind": "mlp"}, sources=SOURCES | {"photos": "3"}),
        experiment(LONG, *range(40), params={"train.seed": 0, "head.kind": SCRIPT}, chose_the_epoch=True),
    ]


def made(experiments: list[Experiment]) -> bytes:
    groups = ranked(experiments)
    verdict = against_the_best(groups)
    again = repeated(groups, None, Path("page.html"))
    return comparison_page(groups, verdict, notes(groups, verdict, None), again)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(made(runs()))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_is_quiet_accessible_and_does_not_scroll_sideways(
    browser: Browser, page: Path, width: int, scheme: Scheme
) -> None:
    with opened(browser, page, width, scheme) as (shown, requests, messages):
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert (requests, messages) == ([], [])
        assert serious_findings(shown) == []


@needs_browser
def test_names_show_as_text(browser: Browser, page: Path) -> None:
    with opened(browser, page) as (shown, _, _):
        assert shown.locator("h1").inner_text().startswith(f"best is better than {LONG} (p < 0.001 after")
        assert shown.get_by_text(SCRIPT, exact=True).first.is_visible()
        assert shown.locator("script").count() == 0


@needs_browser
def test_every_accuracy_and_every_difference_is_drawn_in_its_row(browser: Browser, page: Path) -> None:
    with opened(browser, page) as (shown, _, _):
        accuracies, tests = shown.locator("table.drawn").all()
        assert [row.inner_text() for row in accuracies.locator("tbody th").all()] == ["best", SCRIPT, LONG]
        said = accuracies.get_by_role("img").all()
        assert said[0].get_attribute("aria-label") == "0.9750, 0.9226 to 0.9922"
        assert said[0].locator(".mark").count() == 2  # a tick a seed
        assert tests.locator("tbody .mark").count() == 2  # a tick at 0
        assert [row.get_attribute("class") for row in tests.locator("tbody tr").all()] == ["unsure", None]


def test_the_command_that_repeats_it_names_every_run_for_a_shell(page: Path) -> None:
    groups = ranked(runs())
    names = f"best best-1 '{SCRIPT}' {LONG}"
    command = repeated(groups, "best", Path("my page.html"))
    assert command == f"python -m onepass compare {names} --baseline best --html 'my page.html'"
    assert "python -m onepass compare best best-1 &#39;&lt;script&gt;" in page.read_text()


def test_the_same_experiments_give_the_same_bytes(page: Path) -> None:
    assert made(runs()[::-1]) == page.read_bytes()


def test_only_params_and_files_that_differ_are_shown_with_the_values_of_all_seeds() -> None:
    groups = ranked(runs())
    assert differing_params(groups) == [
        ["", "best", SCRIPT, LONG],
        ["head.hidden_units", "[64, 32]", "[64, 32]", "not read"],
        ["head.kind", "linear", "mlp", SCRIPT],
        ["train.epochs", "3", "3", "not read"],
        ["train.seed", "0, 1", "0", "0"],
    ]
    assert differing_files(groups) == ["photos", "stages/train_head.py"]


def test_many_experiments_that_differ_in_one_param_go_down_the_page() -> None:
    groups = ranked([experiment(f"{number}", params=PARAMS | {"train.epochs": number}) for number in range(9)])
    assert differing_params(groups)[:2] == [["", "train.epochs"], ["0", "0"]]


def test_experiments_that_nothing_tells_apart_have_a_page_that_says_so() -> None:
    text = made([experiment("a", 1), experiment("b", 1)]).decode()
    assert "a and b cannot be told apart on these 100 images: right on the same ones." in text
    assert "They differ in no param." in text and "Code, photos and weights are the same for all." in text


def test_a_baseline_is_what_the_tests_and_the_headline_are_about() -> None:
    groups = ranked(runs())
    verdict = against_the_baseline(groups, groups[2])
    text = comparison_page(groups, verdict, notes(groups, verdict, groups[2]), "").decode()
    assert f"corrected (Holm) for the 2 comparisons with {LONG}." in text
    assert "are better than " + LONG in text
