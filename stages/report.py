"""report: the result for people, as one page.

Reads   what the other stages wrote, and params.yaml. Where the photos are that it shows (data.root) decides whether
        they can be shown, and nothing else.
Writes  metrics/report.html
"""

from pathlib import Path

from onepass.core import run_stage, write_atomically
from onepass.heads import read_head_plan
from onepass.params import BackboneParams, DataParams, SplitParams, read_params
from onepass.photos import base_folder
from onepass.report import run_report


def main(prepared: Path, features: Path, head: Path, training: Path, metrics: Path) -> None:
    params = read_params()
    data, backbone = params.read(DataParams), params.read(BackboneParams)
    plan = read_head_plan(params, backbone)
    sections = (data, params.read(SplitParams), backbone, plan.head, plan.train)
    settings = {f"{part.section}.{key}": value for part in sections for key, value in part.model_dump().items()}
    page = run_report(prepared, features, head, training, metrics, settings, base_folder(data.root))
    write_atomically(metrics / "report.html", page)


if __name__ == "__main__":
    run_stage(main)
