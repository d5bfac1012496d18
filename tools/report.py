"""Writes metrics/report.html again, from what lies in the workspace.

    python -m tools.report

evaluate writes the page whenever it runs. Where DVC has taken evaluate's results from its cache instead, or photos
have come or gone, this brings the page up to date.
"""

import argparse
from pathlib import Path

from stages.shared.report.report import write_report


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.report", description=(__doc__ or "").split("\n\n", 1)[0])
    parser.parse_args(arguments)
    folders = ("data/prepared", "data/features", "data/head", "metrics/training", "metrics")
    write_report(*map(Path, folders))
    print("metrics/report.html")


if __name__ == "__main__":
    main()
