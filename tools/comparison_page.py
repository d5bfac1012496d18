"""A comparison of experiments for people: one page that needs nothing beside itself."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from stages.shared.report.charts import Axis, bar_scale, interval_bar
from stages.shared.report.page import render
from tools.comparison_tables import accuracies, paired_tests
from tools.pairing import LEVEL
from tools.systems import System
from tools.verdict import Comparison, Verdict, points

PAGES = Path(__file__).with_name("pages")
BAR = (12, 348)  # pixels of the ends of a drawn interval


class Drawn(NamedTuple):
    """A row of a table, and its interval as a picture."""

    row: dict[str, str]
    bar: Markup
    sure: bool = True  # p, corrected, is below the level


class Drawing(NamedTuple):
    """Rows whose pictures share a scale."""

    rows: list[Drawn]
    scale: Markup


def comparison_page(systems: Sequence[System], verdict: Verdict, notes: Sequence[str], command: str) -> bytes:
    """The page, UTF-8. The same systems give the same bytes.

    Args:
        systems: at least two, the best first.
        verdict: of their tests.
        notes: how the tests were made, sentences.
        command: that repeats the comparison.

    """
    return render(
        "compare.html",
        PAGES,
        systems=systems,
        verdict=verdict,
        notes=notes,
        command=command,
        accuracies=drawn_accuracies(systems),
        tests=drawn_tests(verdict),
        params=differing_params(systems),
        files=differing_files(systems),
    )


def drawn_accuracies(systems: Sequence[System]) -> Drawing:
    """Each accuracy with its interval and the accuracies of its seeds, where there are several."""
    by_seed = [system.right.mean(axis=1).tolist() if len(system.runs) > 1 else [] for system in systems]
    across = _axis([end for system, seeds in zip(systems, by_seed, strict=True) for end in (*system.interval, *seeds)])
    rows = [
        Drawn(row, interval_bar(_said(row), system.accuracy, *system.interval, across, seeds))
        for row, system, seeds in zip(accuracies(systems), systems, by_seed, strict=True)
    ]
    return Drawing(rows, bar_scale(across))


def drawn_tests(verdict: Verdict) -> Drawing:
    """Each difference, in points, with its interval around 0."""
    across = _axis([0, *(100 * end for test in verdict.tests for end in (test.paired.low, test.paired.high))])
    rows = [
        Drawn(row, _difference(test, across), test.p < LEVEL)
        for row, test in zip(paired_tests(verdict), verdict.tests, strict=True)
    ]
    return Drawing(rows, bar_scale(across))


def differing_params(systems: Sequence[System]) -> list[list[str]]:
    """A table of those params in which the systems or their seeds differ, with its header; empty where in none.

    The longer of the two, params and systems, goes down the page.
    """
    runs = [run for system in systems for run in system.runs]
    names = sorted({name for run in runs for name in run.params})
    differing = [name for name in names if len({_value(run.params, name) for run in runs}) > 1]
    if not differing:
        return []
    table = [["", *(system.name for system in systems)]]
    table += [[name, *(_values(system, name) for system in systems)] for name in differing]
    return [list(row) for row in zip(*table, strict=True)] if len(systems) > len(differing) else table


def differing_files(systems: Sequence[System]) -> list[str]:
    """Code and data from outside that is not the same for all, by path."""
    sources = [run.sources for system in systems for run in system.runs]
    return sorted(path for path in set().union(*sources) if len({of_run.get(path) for of_run in sources}) > 1)


def _axis(ends: Sequence[float]) -> Axis:
    """Wide enough for all, with some room."""
    margin = (max(ends) - min(ends)) / 20 or 1
    return Axis(min(ends) - margin, max(ends) + margin, *BAR)


def _difference(test: Comparison, across: Axis) -> Markup:
    value, low, high = (100 * share for share in test.paired[:3])
    text = f"{points(test.paired.difference)} points, {points(test.paired.low)} to {points(test.paired.high)}"
    return interval_bar(text, value, low, high, across, [0])


def _said(row: dict[str, str]) -> str:
    return f"{row['accuracy']}, {row['95 % interval']}"


def _values(system: System, name: str) -> str:
    """One value, or those of the seeds."""
    return ", ".join(dict.fromkeys(_value(run.params, name) for run in system.runs))


def _value(params: dict[str, Any], name: str) -> str:
    """As params.yaml would have it."""
    if name not in params:
        return "not read"
    return params[name] if isinstance(params[name], str) else json.dumps(params[name], ensure_ascii=False)
