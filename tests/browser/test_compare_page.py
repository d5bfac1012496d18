"""The page of a comparison, looked at in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs.screenshots import started
from onepass.cli.compare import repeated
from onepass.comparison import Experiment, compared, comparison_page, ranked
from onepass.comparison.differences import differing_files, params_table
from tests.browser.browser import Scheme, needs_browser, opened, serious_findings
from tests.unit.comparison.made_up import experiment

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


def ten() -> list[Experiment]:
    """Ten with long names without a place to break, one of them alike, on two sets of images."""
    made = []
    for number in range(10):
        name = f"{number}-" + f"{'lowered-rate' * 9}"[:98]
        params = PARAMS | {"train.epochs": number, "head.kind": "k" * 60 + str(number % 3)}
        images = {"split": "validation", "chose_the_epoch": number > 6} if number > 5 else {}
        made.append(experiment(name, *range(number * 7), params=params, sources={f"{name}.py": str(number)}, **images))
    alike = made[0]._replace(name="a-second-name-" * 7, params=made[0].params | {"train.seed": 7})
    return [*made, alike]


def made(experiments: list[Experiment], baseline: str | None = None, every_pair: bool = False) -> bytes:
    groups = ranked(experiments)
    again = repeated(groups, baseline, every_pair, Path("page.html"))
    return comparison_page(compared(groups, baseline, every_pair), again)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(made(runs()))
    return path


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("crowded") / "page.html"
    path.write_bytes(made(ten(), every_pair=True))
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


# Words whose place on the page is beyond its edges or outside an element that hides or scrolls what is too large.
OUT_OF_SIGHT = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("thead, .skip, style")) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      let seen = left >= -1 && right <= innerWidth + 1;
      for (let box = element; box && box !== document.body; box = box.parentElement) {
        if (box.ownerSVGElement || getComputedStyle(box).overflow === "visible") continue;
        const edge = box.getBoundingClientRect();
        seen &&= left >= edge.left - 1 && right <= edge.right + 1 && top >= edge.top - 1 && bottom <= edge.bottom + 1;
      }
      if (!seen) found.push(walker.currentNode.data.slice(0, 50));
    }
  }
  return found;
}"""


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_nothing_of_ten_long_names_is_cut_off(browser: Browser, crowded: Path, scheme: Scheme) -> None:
    with opened(browser, crowded, 400, scheme) as (shown, _, _):
        assert shown.evaluate("document.documentElement.scrollWidth") <= 400
        assert shown.evaluate(OUT_OF_SIGHT) == []
        scrolls = "[...document.querySelectorAll('main *')].filter(e => !e.closest('thead, svg') && e.clientWidth"
        assert shown.evaluate(f"{scrolls} && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)") == []
        assert serious_findings(shown) == []


@needs_browser
def test_on_a_telephone_every_value_stands_beside_the_name_of_its_column(browser: Browser, crowded: Path) -> None:
    with opened(browser, crowded, 400) as (shown, _, _):
        named = """[...document.querySelectorAll("tbody td:not(.bar)")]
            .filter(cell => !getComputedStyle(cell, "::before").content.startsWith('"'))"""
        assert shown.evaluate(f"{named}.map(cell => cell.outerHTML)") == []
        assert shown.locator("tbody td:not(.bar)").count() > 100


@needs_browser
def test_the_check_above_finds_text_that_is_cut_off(browser: Browser, crowded: Path) -> None:
    with opened(browser, crowded, 400) as (shown, _, _):
        shown.add_style_tag(content=".caption { overflow: hidden; white-space: nowrap; }")
        assert shown.evaluate(OUT_OF_SIGHT) != []


def test_each_set_of_images_has_a_section_with_its_headline_and_all_its_pairs(crowded: Path) -> None:
    text = crowded.read_text()
    first, second = text.split('<section aria-labelledby="images-')[1:]
    second = second.split("<section")[0]
    assert "Evaluated on 100 test images</h2>" in first and "Evaluated on 100 validation images</h2>" in second
    assert "Not those of " in second and 'class="headline"' in second
    assert [part.count('data-column="minus that of"') for part in (first, second)] == [15, 6]
    assert "These images also chose the epochs of" in second and "also chose the epochs" not in first


@needs_browser
def test_names_show_as_text(browser: Browser, page: Path) -> None:
    with opened(browser, page) as (shown, _, _):
        assert (
            shown.locator("h1")
            .inner_text()
            .startswith(f"best is better than {LONG[:16]}…{LONG[-15:]} (p < 0.001 after")
        )
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
    command = repeated(groups, "best", False, Path("my page.html"))
    assert command == f"python -m onepass compare {names} --baseline best --html 'my page.html'"
    assert repeated(groups, None, True, Path("x.html")) == f"python -m onepass compare {names} --all --html x.html"
    assert "python -m onepass compare best best-1 &#39;&lt;script&gt;" in page.read_text()


def test_the_same_experiments_give_the_same_bytes(page: Path) -> None:
    assert made(runs()[::-1]) == page.read_bytes()


def test_only_params_and_files_that_differ_are_shown_with_the_values_of_all_seeds() -> None:
    groups = ranked(runs())
    assert params_table(groups) == [
        ["", "best", SCRIPT, LONG],
        ["head.hidden_units", "[64, 32]", "[64, 32]", "not read"],
        ["head.kind", "linear", "mlp", SCRIPT],
        ["train.epochs", "3", "3", "not read"],
        ["train.seed", "0, 1", "0", "0"],
    ]
    assert differing_files(runs()) == ["photos", "stages/train_head.py"]


def test_many_experiments_that_differ_in_one_param_go_down_the_page() -> None:
    groups = ranked([experiment(f"{number}", params=PARAMS | {"train.epochs": number}) for number in range(9)])
    assert params_table(groups)[:2] == [["", "train.epochs"], ["0", "0"]]


def test_experiments_that_nothing_tells_apart_have_a_page_that_says_so() -> None:
    text = made([experiment("a", 1), experiment("b", 1)]).decode()
    assert "a cannot be told apart from b on these 100 images: right on the same ones." in text
    assert "They differ in no param." in text and "Code, photos and weights are the same for all." in text


def test_a_baseline_is_what_the_tests_and_the_headline_are_about() -> None:
    text = made(runs(), baseline=LONG).decode()
    assert f"corrected (Holm) for the 2 comparisons with {LONG}." in text
    assert f"<h1>{LONG[:50]}…{LONG[-49:]} is worse than best and " in text


def test_experiments_that_are_one_show_every_value_of_what_had_no_effect() -> None:
    alike = [
        experiment(name, 1, params={"train.learning_rate": rate}, answers="x")
        for name, rate in (("a", 0.01), ("b", 0.1))
    ]
    assert params_table(ranked([*alike, experiment("c", params={"train.learning_rate": 1})])) == [
        ["", "train.learning_rate"],
        ["c", "1"],
        ["a", "0.01, 0.1"],
    ]
