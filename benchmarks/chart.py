"""Puts the results into README.md, as a table and a chart.

python -m benchmarks.chart
"""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measuring import RESULTS

README = Path(__file__).parent / "README.md"


def main() -> None:
    rows = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    draw(rows, RESULTS / "chart.svg")
    begin, end = "<!-- results -->\n", "<!-- end of results -->\n"
    text = re.sub(f"{begin}.*?{end}", lambda _: f"{begin}{table(rows)}{end}", README.read_text(), flags=re.DOTALL)
    README.write_text(text)


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: the machines, then a line a row."""
    machines = sorted({described(row["machine"]) for row in rows})
    lines = [*machines, "", "| row | what | medians | ratio | target |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        found = ", ".join(f"{name} {value:.4g}" for name, value in row["found"].items())
        lines.append(
            f"| {row['row']} | {row['about']} | {found} {row['unit']} | **{row['ratio']:.2f}** | {row['target']} |"
        )
    return "\n".join(["", *lines, "", "![ratios against their targets](results/chart.svg)", "", ""])


def described(machine: dict[str, Any]) -> str:
    """A sentence about a machine."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine["versions"].items()))
    bfloat16 = "with" if machine["bfloat16"] else "without"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {bfloat16} bfloat16, {machine['memory_gib']} GiB; "
        f"Python {machine['python']}, {versions}."
    )


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """How each ratio stands to its target: right of the line is better."""
    goals = [float(re.findall(r"[\d.]+", row["target"])[0]) for row in rows]
    better = [
        row["ratio"] / goal if row["target"].startswith("at least") else goal / row["ratio"]
        for row, goal in zip(rows, goals, strict=True)
    ]
    figure = Figure(figsize=(8, 0.4 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    axes.barh([row["row"] for row in rows], better, color=["C2" if value >= 1 else "C3" for value in better])
    axes.axvline(1, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("times better than the target")
    with mpl.rc_context({"svg.hashsalt": "onepass"}):
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
