"""Measures rows, keeps what it finds in benchmarks/results, and writes the tables and the chart from all that is there.

    python -m benchmarks [ROW...] [--photos FOLDER] [--weights FILE] [--rounds N] [--count N] [--quick]

All rows unless some are named. README.md says what each of them is, and how long it takes.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import (
    chart,
    cross_validation,
    extraction,
    head,
    large_photos,
    memory,
    million,
    predict,
    recipe_networks,
    remote,
    repro,
    vision_transformer,
    workers,
)
from benchmarks.measuring import Options, timed

Row = Callable[[str, Path, Options], None]
ROWS: dict[str, Row] = {
    **{name: partial(extraction.measure, extraction=measured) for name, measured in extraction.EXTRACTIONS.items()},
    "extraction-mobilenet-gpu": extraction.measure_on_gpu,
    "vision-transformer": vision_transformer.measure,
    "recipe-networks": recipe_networks.measure,
    "large-jpg": partial(large_photos.measure, usual=500, target="at least 1.5"),
    "large-png": partial(large_photos.measure, usual=60, target="at least 1.0"),
    "large-webp": partial(large_photos.measure, usual=60, target="at least 1.0"),
    "prepare": predict.measure_prepare,
    "predict": predict.measure_predict,
    "head": head.measure,
    "cross-validation": cross_validation.measure,
    "repro-nothing": repro.nothing,
    "repro-logistic-digits": repro.logistic_on_digits,
    "repro-logistic": repro.logistic,
    "repro-mlp": repro.mlp,
    "repro-ten-added": repro.ten_added,
    "try-24-heads": repro.grid_of_heads,
    "push-ten-added": remote.ten_added,
    "upgrade": remote.upgraded,
    "storage": remote.storage,
    "workers": workers.measure,
    "memory": memory.measure,
    "million": million.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all unless given")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="class folders; synthetic photos unless given")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of MobileNet; random ones unless given")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is timed, in turn (%(default)s)")
    parser.add_argument("--count", type=int, help="photos, instead of as many as a row has: for a short run")
    parser.add_argument("--torch-python", default=sys.executable, metavar="PATH", help="a Python with PyTorch and timm")
    parser.add_argument("--quick", action="store_true", help="one round of 80 photos; its figures are not kept")
    given = parser.parse_args()
    if unknown := set(given.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    options = Options(
        photos=given.photos,
        weights=given.weights,
        rounds=1 if given.quick else given.rounds,
        count=given.count or (80 if given.quick else None),
        torch_python=given.torch_python,
        keep=not given.quick,
    )
    for name in given.rows or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            seconds = timed(ROWS[name], name, Path(folder), options)
        print(f"{name} took {seconds:.0f} s", flush=True)
        if options.keep:
            chart.main()


if __name__ == "__main__":
    main()
