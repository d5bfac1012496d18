"""A comparison of experiments for people: one page that needs nothing beside itself."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from onepass.comparison.differences import differing_files, params_table
from onepass.comparison.pairs import PairOfGroups, points
from onepass.comparison.same_images import Comparison
from onepass.comparison.seed_groups import SeedGroup
from onepass.comparison.tables import accuracies, paired_tests
from onepass.comparison.verdict import Verdict
from onepass.report import Axis, bar_scale, interval_bar, render

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


class Shown(NamedTuple):
    """A comparison, drawn."""

    compared: Comparison
    accuracies: Drawing
    tests: Drawing | None  # where there are any


def comparison_page(comparisons: Sequence[Comparison], command: str) -> bytes:
    """The page, UTF-8. The same experiments give the same bytes.

    Args:
        comparisons: of at least two groups together.
        command: that repeats them.

    """
    groups = [group for comparison in comparisons for group in comparison.groups]
    return render(
        "compare.html",
        shown=[
            Shown(one, drawn_accuracies(one.groups), drawn_tests(one.verdict) if one.verdict else None)
            for one in comparisons
        ],
        experiments=len(groups),
        command=command,
        params=params_table(groups),
        files=differing_files([experiment for group in groups for experiment in group.experiments]),
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
        Drawn(row, _difference(test, across), test.told_apart)
        for row, test in zip(paired_tests(verdict), verdict.tests, strict=True)
    ]
    return Drawing(rows, bar_scale(across))


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
