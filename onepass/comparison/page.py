"""A comparison of experiments for people: one page that needs nothing beside itself."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from onepass.comparison.seed_groups import SeedGroup
from onepass.comparison.tables import accuracies, paired_tests
from onepass.comparison.verdict import PairOfGroups, Verdict, points
from onepass.report import Axis, bar_scale, interval_bar, render
from onepass.statistics import LEVEL

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


def comparison_page(groups: Sequence[SeedGroup], verdict: Verdict, notes: Sequence[str], command: str) -> bytes:
    """The page, UTF-8. The same experiments give the same bytes.

    Args:
        groups: at least two, the best first.
        verdict: of their tests.
        notes: how the tests were made, sentences.
        command: that repeats the comparison.

    """
    return render(
        "compare.html",
        groups=groups,
        verdict=verdict,
        notes=notes,
        command=command,
        accuracies=drawn_accuracies(groups),
        tests=drawn_tests(verdict),
        params=differing_params(groups),
        files=differing_files(groups),
    )


def drawn_accuracies(groups: Sequence[SeedGroup]) -> Drawing:
    """Each accuracy with its interval and the accuracies of its seeds, where there are several."""
    by_seed = [group.right.mean(axis=1).tolist() if len(group.runs) > 1 else [] for group in groups]
    across = _axis([end for group, seeds in zip(groups, by_seed, strict=True) for end in (*group.interval, *seeds)])
    rows = [
        Drawn(row, interval_bar(_said(row), group.accuracy, *group.interval, across, seeds))
        for row, group, seeds in zip(accuracies(groups), groups, by_seed, strict=True)
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


def differing_params(groups: Sequence[SeedGroup]) -> list[list[str]]:
    """A table of those params in which the experiments or their seeds differ, with its header; empty where in none.

    The longer of the two, params and groups, goes down the page.
    """
    runs = [run for group in groups for run in group.runs]
    names = sorted({name for run in runs for name in run.params})
    differing = [name for name in names if len({_value(run.params, name) for run in runs}) > 1]
    if not differing:
        return []
    table = [["", *(group.name for group in groups)]]
    table += [[name, *(_values(group, name) for group in groups)] for name in differing]
    return [list(row) for row in zip(*table, strict=True)] if len(groups) > len(differing) else table


def differing_files(groups: Sequence[SeedGroup]) -> list[str]:
    """Code and data from outside that is not the same for all, by path."""
    sources = [run.sources for group in groups for run in group.runs]
    return sorted(path for path in set().union(*sources) if len({of_run.get(path) for of_run in sources}) > 1)


def _axis(ends: Sequence[float]) -> Axis:
    """Wide enough for all, with some room."""
    margin = (max(ends) - min(ends)) / 20 or 1
    return Axis(min(ends) - margin, max(ends) + margin, *BAR)


def _difference(test: PairOfGroups, across: Axis) -> Markup:
    value, low, high = (100 * share for share in test.paired[:3])
    text = f"{points(test.paired.difference)} points, {points(test.paired.low)} to {points(test.paired.high)}"
    return interval_bar(text, value, low, high, across, [0])


def _said(row: dict[str, str]) -> str:
    return f"{row['accuracy']}, {row['95 % interval']}"


def _values(group: SeedGroup, name: str) -> str:
    """One value, or those of the seeds."""
    return ", ".join(dict.fromkeys(_value(run.params, name) for run in group.runs))


def _value(params: dict[str, Any], name: str) -> str:
    """As params.yaml would have it."""
    if name not in params:
        return "not read"
    return params[name] if isinstance(params[name], str) else json.dumps(params[name], ensure_ascii=False)
