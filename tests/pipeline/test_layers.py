"""backbone.layer as a list: one pass gives all of its layers, and another list takes from it what it has."""

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.builders import Project

pytestmark = pytest.mark.more


def reused_and_computed(project: Project) -> tuple[int, int]:
    said = re.search(r"images: (\d+) reused, (\d+) computed", project.run("dvc", "repro", "extract-features"))
    assert said
    return int(said[1]), int(said[2])


def probabilities(table: Path) -> dict[str, float]:
    with table.open(newline="") as file:
        return {Path(row["file"]).name: float(row["p_cats"]) for row in csv.DictReader(file)}


@pytest.mark.slow
def test_photos_pass_once_for_all_layers_and_another_list_of_them_costs_nothing(settled: Project) -> None:
    settled.set({"backbone.layer": ["early", "late"], "backbone.pooling": "avg", "head.kind": "logistic"})
    assert reused_and_computed(settled) == (0, 60)
    settled.run("dvc", "repro", "evaluate")
    (photos,) = re.findall(r"  root: (\S+)", (settled.folder / "params.yaml").read_text())
    settled.run("python", "-m", "onepass", "predict", "data/model.keras", photos, "--output", "found.csv")
    found, expected = (probabilities(settled.folder / name) for name in ("found.csv", "metrics/predictions.csv"))
    np.testing.assert_allclose([found[name] for name in expected], [*expected.values()], atol=1e-5)
    for name in ("onnx", "tflite"):
        export = ("export", "data/model.keras", "--format", name, "--output", f"exported.{name}", "--photos", photos)
        settled.run("python", "-m", "onepass", *export)  # which compares the two before it is done

    settled.set({"backbone.layer": ["late", "early"]})
    assert reused_and_computed(settled) == (60, 0)
    shutil.rmtree(settled.folder / ".dvc/cache/onepass")  # as at a colleague's, who has what was pulled
    settled.set({"backbone.layer": "early"})
    assert reused_and_computed(settled) == (60, 0)


@pytest.mark.slow
def test_what_cannot_stand_side_by_side_is_said_before_anything_is_computed(settled: Project) -> None:
    settled.set({"backbone.layer": ["early", "late"], "backbone.pooling": "none"})
    said = settled.run("dvc", "repro", "extract-features", expect=None)
    assert (
        "backbone.pooling: none given, but layer 'early' gives the shape (None, None, 4); only pooled features of "
        "several layers stand side by side; allowed: avg, max."
    ) in said
