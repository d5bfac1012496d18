"""docs/onnx.md on real photos: a pretrained network exported to ONNX is as good as itself."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.builders import SHARED, Project, backbone, new_project
from tests.unit.backbones.test_onnx_network import export, tensor

pytestmark = [pytest.mark.more, pytest.mark.shared]

PHOTOS = SHARED / "data" / "cats-dogs"
MOBILENET = str(SHARED / "weights" / "mobilenet_1_0_224_notop.weights.h5")
SQUEEZENET = str(SHARED / "weights" / "squeezenet_1_1.keras")
SIDE = 150
# Of each network: the params of its Keras way, the layer of its cut, and a part of the tensor's name there.
NETWORKS: dict[str, tuple[dict[str, Any], str]] = {
    "mobilenet": (
        {"name": "MobileNet", "weights": MOBILENET, "layer": "conv_pw_12_relu", "preprocess": "native"},
        "conv_pw_12_relu",
    ),
    "squeezenet": (
        {"name": "custom", "weights": SQUEEZENET, "layer": "fire9_concat", "preprocess": "caffe"},
        "fire9_concat",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def keras_way(name: str) -> dict[str, Any]:
    return {**NETWORKS[name][0], "image_side": SIDE, "pooling": "avg"}


@pytest.fixture(scope="module")
def weights(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as an ONNX file."""
    given = backbone(**keras_way(name))
    path = tmp_path_factory.mktemp("onnx") / f"{name}.onnx"
    return export(given.source.whole_keras_network(given), path, SIDE)  # type: ignore[attr-defined]  # of Keras


@pytest.fixture(scope="module")
def project(name: str, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run with the ONNX file, after the Keras way, which is an experiment."""
    project = new_project(tmp_path_factory.mktemp(name) / "project")
    settings = {f"backbone.{key}": value for key, value in keras_way(name).items()}
    project.set({"data.root": str(PHOTOS), "head.kind": "logistic", **settings})
    project.run("git", "commit", "--quiet", "--all", "--message", "the Keras way")
    project.run("dvc", "repro")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "its results")
    mode = {"mobilenet": "tf", "squeezenet": "caffe"}[name]
    changes = {"name": "onnx", "weights": weights, "layer": tensor(weights, NETWORKS[name][1]), "preprocess": mode}
    changes["runtime"] = "onnxruntime"
    given = [f"-Sbackbone.{key}={value}" for key, value in changes.items()]
    project.run(sys.executable, "-m", "onepass", "try", "exported", *given)
    return project


def accuracy(project: Project) -> float:
    """Of what lies in the workspace."""
    found = json.loads((project.folder / "metrics/metrics.json").read_text())
    assert (found["split"], found["images"]) == ("validation", 800)
    return float(found["accuracy"])


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_the_features_are_those_of_keras(engine: str, name: str, weights: Path) -> None:
    """Of the photos of ``reference``, which plain Keras computed."""
    reference = np.load(SHARED / "reference" / f"{name}_{SIDE}.npz")
    mode = {"mobilenet": "tf", "squeezenet": "caffe"}[name]
    given = {"name": "onnx", "weights": str(weights), "layer": tensor(weights, NETWORKS[name][1]), "image_side": SIDE}
    forward = backbone(**given, preprocess=mode, runtime=engine).load().forward(8)
    expected = reference[NETWORKS[name][1]]
    np.testing.assert_allclose(forward(reference["images_uint8"]), expected, atol=1e-4 * np.abs(expected).max())


def test_the_accuracy_is_that_of_keras_and_compare_cannot_tell_the_two_apart(project: Project) -> None:
    before = accuracy(project)
    said = project.run(sys.executable, "-m", "onepass", "compare")
    assert "cannot be told apart" in said
    project.run("dvc", "exp", "apply", "exported", expect=None)  # not 0: nobody has made the digits here
    assert abs(before - accuracy(project)) <= 0.003


def test_the_model_says_of_the_photos_what_was_evaluated(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "exp", "apply", "exported", expect=None)
    command = [sys.executable, "-m", "onepass", "predict", "data/model.onnx", str(PHOTOS / "validation")]
    subprocess.run([*command, "--output", str(tmp_path / "found.csv")], cwd=project.folder, check=True)
    with (project.folder / "metrics/predictions.csv").open() as table:
        expected = {row["file"]: row for row in csv.DictReader(table) if row["split"] == "validation"}
    with (tmp_path / "found.csv").open() as table:
        found = {str(Path(row["file"]).relative_to(PHOTOS)): row for row in csv.DictReader(table)}
    assert found.keys() == expected.keys()
    assert len(found) == 800
    assert [row["predicted"] for row in found.values()] == [expected[file]["predicted"] for file in found]
    for file, row in found.items():
        assert float(row["p_cats"]) == pytest.approx(float(expected[file]["p_cats"]), abs=1e-4)
