"""What augmented views gain over the photos alone, with few and with many training photos.

    python -m benchmarks.views PHOTOS -S backbone.name=MobileNet -S backbone.weights=...

PHOTOS has train/ and validation/ folders. Run it in a project of its own (a clone): each run is an experiment there,
the recipe `ours` with the changes given by -S. The features of fewer photos or views are among those of more, so
each view of each photo passes the network once for the whole table.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

from onepass.comparison import Experiments
from onepass.statistics import paired_test

COUNTS = (1000, 200, 50)  # training photos a class: the most first, the others reuse its features
VIEWS = (8, 4, 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.views")
    parser.add_argument("photos", type=Path)
    parser.add_argument("-S", "--set-param", action="append", default=[])
    given = parser.parse_args()
    for count in COUNTS:
        table = Path("data", f"first-{count}.csv").resolve()
        write_table(given.photos.resolve(), count, table)
        for views in VIEWS:
            changes = [f"data.root={table}", f"backbone.views={views}", *given.set_param]
            options = [part for change in changes for part in ("--set-param", change)]
            subprocess.run([sys.executable, "-m", "onepass", "recipes", "run", "ours", *options], check=True)
            subprocess.run(["dvc", "exp", "rename", "ours", f"first-{count}-views-{views}"], check=True)
    report(given.photos.resolve())


def write_table(photos: Path, count: int, path: Path) -> None:
    """A CSV of the first ``count`` training photos of each class, and of all validation photos."""
    rows = []
    for folder in sorted(photos.glob("*/*/")):
        files = sorted(file for file in folder.iterdir() if file.is_file())
        split = folder.parent.name
        rows += [(file, folder.name, split) for file in (files[:count] if split == "train" else files)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "label", "split"])
        writer.writerows(rows)


def report(photos: Path) -> None:
    """The table, with the gain over one view on the same images."""
    print(
        f"| training photos a class of {photos.name} | views | accuracy | gain over one view, points (95 % interval) |"
    )
    print("| --- | --- | --- | --- |")
    experiments = Experiments()
    for count in sorted(COUNTS):
        one = experiments.read(f"first-{count}-views-1")
        for views in sorted(VIEWS):
            run = experiments.read(f"first-{count}-views-{views}")
            gain = paired_test(run.right[None], one.right[None])
            interval = f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
            change = "" if views == 1 else f"{100 * gain.difference:+.1f} ({interval})"
            print(f"| {count} | {views} | {run.right.mean():.4f} | {change} |")


if __name__ == "__main__":
    main()
