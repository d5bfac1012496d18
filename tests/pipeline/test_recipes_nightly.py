"""The recipes on real photos: what `make nightly` runs, because it takes an hour."""

import json
from pathlib import Path

import pytest

from tests.builders import ROOT, SHARED, Project, new_project

pytestmark = [pytest.mark.nightly, pytest.mark.shared]
FILES = sorted((ROOT / "recipes").glob("*.yaml"))
NAMES = [path.stem for path in FILES if "name: onnx" not in path.read_text()]  # weights that nothing stands in for
MOBILENET = {
    "backbone.name": "MobileNet",
    "backbone.weights": SHARED / "weights" / "mobilenet_1_0_224_notop.weights.h5",
    "backbone.layer": "conv_pw_12_relu",
}
# Pretrained weights that are at hand stand in for those that are not.
SQUEEZENET = {
    "backbone.name": "custom",
    "backbone.weights": SHARED / "weights" / "squeezenet_1_1.keras",
    "backbone.layer": "fire9_concat",
    "backbone.preprocess": "caffe",
}
STAND_INS = {
    "question-cnn": {},
    "question-frozen-resnet50": SQUEEZENET,
    "question-frozen-inceptionv3": SQUEEZENET,
    "answer-intermediate-layer": MOBILENET | {"backbone.layer": "conv_pw_11_relu", "head.activation": "softmax"},
    "answer-unfreeze-last": MOBILENET | {"backbone.layer": "conv_pw_11_relu", "train.unfreeze": "conv_pw_12_relu"},
    "article-bottleneck": MOBILENET | {"head.activation": "softmax"},
    "article-legacy-weights": MOBILENET | {"head.activation": "softmax"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("nightly") / "project")


def run(project: Project, name: str, photos: Path) -> dict[str, float]:
    """The metrics of a recipe."""
    chosen = {"data.root": photos, "data.label_conflicts": "quarantine", **STAND_INS.get(name, MOBILENET)}
    options = [part for key, value in chosen.items() for part in ("--set-param", f"{key}={value}")]
    project.run("python", "-m", "onepass", "recipes", "run", name, *options)
    metrics: dict[str, float] = json.loads((project.folder / "metrics" / "metrics.json").read_bytes())
    return metrics


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_runs_on_real_photos(name: str, project: Project) -> None:
    assert run(project, name, SHARED / "data" / "materials")["images"] == 171


def test_the_puzzle_is_solved_in_order_and_explained(project: Project) -> None:
    materials = SHARED / "data" / "materials"
    project.run("dvc", "exp", "remove", "question-frozen-mobilenet")
    frozen = run(project, "question-frozen-mobilenet", materials)
    findings = json.loads((project.folder / "metrics" / "findings.json").read_bytes())
    assert 0.5 <= frozen["accuracy"] <= 0.65
    assert "loss-still-falling" in {finding["name"] for finding in findings}
    table = project.run("python", "-m", "onepass", "compare", "ours", "question-frozen-mobilenet", "question-cnn")
    assert "ours is better than question-frozen-mobilenet and question-cnn" in table


def test_ours_reaches_097_on_cats_and_dogs(project: Project) -> None:
    project.run("dvc", "exp", "remove", "ours")
    assert run(project, "ours", SHARED / "data" / "cats-dogs")["accuracy"] >= 0.97
