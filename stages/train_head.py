"""train-head: the small network on top of the bottleneck features.

Reads   backbone.weights (whose digest weights.json has), splits.csv (which images train, which choose the epoch) and
        data/features/.
Writes  data/head/         head.json, weights.npz and prototypes.npy (see onepass/heads/trained_head.py)
        data/model.keras   backbone and head in one (see onepass/model); for backbone.name: onnx data/model.onnx
        metrics/training/  the curves (see onepass/heads/curve_files.py)
"""

import time
from pathlib import Path

from onepass.backbones import resolve
from onepass.checks import check_params
from onepass.core import check_recorded, run_stage, sha256_of_files
from onepass.features import open_store
from onepass.heads import (
    DESCRIPTION_FILE,
    WEIGHTS_FILE,
    CurveWriter,
    calibrated,
    make_fit_task,
    read_head_plan,
    unfrozen_layers,
    write_head,
)
from onepass.machine_facts import record
from onepass.model import write_model
from onepass.params import BackboneParams, PredictParams, read_params
from onepass.photos import Assignment, AssignmentTable, read_rows


def main(weights: Path, splits: Path, features: Path, out: Path, model: Path, curves: Path) -> None:
    start = time.perf_counter()
    check_recorded(weights, splits)
    params = read_params()
    check_params(params)
    backbone_params = params.read(BackboneParams)
    plan = read_head_plan(params, backbone_params)
    backbone = resolve(backbone_params)
    backbone.check_weights(weights)
    rows = AssignmentTable(read_rows(splits, Assignment))
    layers_above = unfrozen_layers(plan, backbone)
    log = CurveWriter(curves).add
    store = open_store(features)
    head = plan.kind.fit(make_fit_task(plan, rows, backbone_params.views, features, store, layers_above, log))
    head = calibrated(head, rows, features, store, params.read(PredictParams).refuse)
    write_head(out, head)
    write_model(model, backbone, head)
    key = sha256_of_files(out / DESCRIPTION_FILE, out / WEIGHTS_FILE)
    record("train-head", key, {"seconds": time.perf_counter() - start})


if __name__ == "__main__":
    run_stage(main)
