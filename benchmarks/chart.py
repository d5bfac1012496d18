"""Puts what is in results/ into README.md, as tables and a chart."""

import json
import re
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measuring import RESULTS

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"
TOLD = "told"  # what stands for a target where there is none
FARTHEST = 3  # times better than the target: a bar ends there


def main() -> None:
    rows = read_results()
    draw(rows, RESULTS / "chart.svg")
    README.write_text(with_tables(README.read_text(), rows))


def read_results() -> list[dict[str, Any]]:
    """What `record` and `skip` kept, by name of row."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]


def with_tables(text: str, rows: list[dict[str, Any]]) -> str:
    """README.md with the tables of these rows between its marks."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}{tables(rows)}{END}", text, flags=re.DOTALL)


def tables(rows: list[dict[str, Any]]) -> str:
    """Markdown: the machines, a table for each first word of the rows' names, the chart."""
    lines = ["", *sorted({described(row["machine"]) for row in rows}), ""]
    for word, some in groupby(rows, lambda row: row["row"].split("-")[0]):
        lines += [f"### {word}", "", "| row | what | found | result | target |", "| --- | --- | --- | --- | --- |"]
        lines += [*map(line, some), ""]
    return "\n".join([*lines, "![results against their targets](results/chart.svg)", "", ""])


def line(row: dict[str, Any]) -> str:
    """A row of a table."""
    found = ", ".join(f"{way} {spread(values)}" for way, values in row["found"].items())
    found = "; ".join(filter(None, [f"{found} {row['unit']}".strip(), row["skipped"]]))
    result = f"**{spread(row['values'])}**" if row["values"] else "skipped"
    return f"| {row['row']} | {row['about']} | {found} | {result} | {row['target']} |"


def spread(values: list[float]) -> str:
    """The median, and of several rounds the lowest and the highest: 225 (220 to 232)."""
    rounds = f" ({number(min(values))} to {number(max(values))})" if len(values) > 1 else ""
    return f"{number(median(values))}{rounds}"


def number(value: float) -> str:
    """Three digits that count; all of a number that has more before its point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def described(machine: dict[str, Any]) -> str:
    """A sentence about a machine."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine["versions"].items()))
    bfloat16 = "with" if machine["bfloat16"] else "without"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {bfloat16} bfloat16, {machine['memory_gib']} GiB; "
        f"Python {machine['python']}, {versions}."
    )


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """How each result stands to its target, right of the line is better, and against what it was measured.

    Rows that were skipped have no bar, nor have those without a target.
    """
    measured = [row for row in rows if row["values"] and row["target"] != TOLD]
    better = [times_better(median(row["values"]), row["target"]) for row in measured]
    figure = Figure(figsize=(10, 0.3 * len(measured) + 1), layout="constrained")
    axes = figure.subplots()
    colors = ["tab:green" if value >= 1 else "tab:red" for value in better]
    bars = axes.barh([row["row"] for row in measured], better, color=colors, alpha=0.5)
    axes.bar_label(bars, [beside(row) for row in measured], padding=4, fontsize="small")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlim(0, 2 * FARTHEST)  # room for what stands beside
    axes.invert_yaxis()
    axes.set_xlabel("times better than the target")
    with mpl.rc_context({"svg.hashsalt": "onepass"}):
        figure.savefig(path, metadata={"Date": None})


def beside(row: dict[str, Any]) -> str:
    """What stands at the end of a bar: 1.4, against the alternative that was the fastest."""
    rival = row["about"].partition(", against ")[2]
    return number(median(row["values"])) + (f", against {rival}" if rival else "")


def times_better(value: float, target: str) -> float:
    """1: the target is met exactly. Never more than the chart shows."""
    goal = float(re.findall(r"[\d.]+", target)[0])
    if target.startswith("at least"):
        return min(value / goal, FARTHEST)
    return goal / value if value > goal / FARTHEST else FARTHEST
