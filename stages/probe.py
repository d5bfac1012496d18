"""probe: the head of params.yaml in a cross-validation, on all photos outside the split that evaluate scores.

`dvc repro` alone does not run it; `dvc repro data/probe/dvc.yaml` and `python -m onepass best` do. So a head or a
backbone can be chosen without a look at the photos that judge it in the end.

Reads   images.csv, splits.csv, data/features/ and, with train.unfreeze, weights.json and backbone.weights.
Writes  data/probe/predictions.csv  each of these images: hash, file, split, label, predicted, a probability a class
        data/probe/metrics.json     the scores of all of them together
"""

import sys
from pathlib import Path

import numpy as np

from onepass.backbones import resolve
from onepass.checks import check_params
from onepass.core import RowFile, check_recorded, run_stage, write_json
from onepass.evaluation import CROSS_VALIDATION, predict_left_out, score, write_predictions
from onepass.features import open_store
from onepass.heads import read_head_plan, unfrozen_layers
from onepass.params import BackboneParams, read_params
from onepass.photos import Assignment, AssignmentTable, Image, evaluated_split, read_rows


def main(weights: Path, prepared: Path, features: Path, out: Path) -> None:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # classes can have any name
    check_recorded(weights, prepared)
    params = read_params()
    check_params(params)
    backbone = params.read(BackboneParams)
    plan = read_head_plan(params, backbone)
    everything = AssignmentTable(read_rows(prepared / "splits.csv", Assignment))
    evaluated = evaluated_split(everything.splits)
    rows = AssignmentTable(row for row in everything if row.split != evaluated)
    classes = rows.labels
    given = {image.hash: image.group for image in read_rows(prepared / "images.csv", Image) if image.group}
    groups = [given.get(row.hash, row.hash) for row in rows]
    layers_above = unfrozen_layers(plan, resolve(backbone))
    if layers_above:
        resolve(backbone).check_weights(weights)

    probabilities = predict_left_out(plan, rows, backbone.views, groups, features, open_store(features), layers_above)

    metrics = score(rows.numbers(classes, slice(None)), probabilities, CROSS_VALIDATION, best_epoch=0, epochs=0)
    left_out = AssignmentTable(row._replace(split=CROSS_VALIDATION) for row in rows)
    images, chances = (
        read_rows(prepared / "images.csv", Image),
        RowFile(features.parent, [len(classes)], probabilities.dtype),
    )
    chances.write(np.arange(len(rows)), probabilities)
    write_predictions(out / "predictions.csv", images, left_out, classes, chances)
    write_json(out / "metrics.json", {"probe": metrics.model_dump()})
    print(metrics.sentence)


if __name__ == "__main__":
    run_stage(main)
