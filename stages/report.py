"""report: the result for people, as one page.

Reads   what the other stages wrote, and params. Where the photos are that it shows (data.root) is not an input: it
        decides whether they can be shown, and is not told.
Writes  metrics/report.html
"""

from pathlib import Path

from onepass.core import check_recorded, run_stage, write_atomically
from onepass.heads import read_head_plan
from onepass.params import BackboneParams, DataParams, PredictParams, SplitParams, read_params
from onepass.photos import base_folder
from onepass.report import run_report

TABLES = ("predictions.csv", "classes.csv", "reliability.csv", "coverage.csv", "nearest.csv")
SCORES = (*TABLES, "metrics.json", "findings.json", "abstentions.json")


def main(prepared: Path, features: Path, head: Path, training: Path, metrics: Path) -> None:
    check_recorded(prepared, head, training, *(metrics / name for name in SCORES))
    params = read_params()
    backbone = params.read(BackboneParams)
    plan = read_head_plan(params, backbone)
    sections = (params.read(SplitParams), backbone, plan.head, plan.train, params.read(PredictParams))
    dumped = {part.section: part.model_dump(mode="json") for part in sections}
    settings = {f"{section}.{key}": value for section, values in dumped.items() for key, value in values.items()}
    root = base_folder(params.read(DataParams).root)
    page = run_report(prepared, features, head, training, metrics, settings, root)
    write_atomically(metrics / "report.html", page)


if __name__ == "__main__":
    run_stage(main)
