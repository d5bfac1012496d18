"""The commands of docs/photos.md on real photos with real pretrained weights, which lie beside the checkouts."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builders import ROOT, SHARED, Project, new_project, stages_run
from tests.readme import commands_below

pytestmark = [pytest.mark.more, pytest.mark.shared]

PLACES = {
    "/path/to/photos": str(SHARED / "data" / "cats-dogs"),
    "data/imagenet/MobileNet.weights.h5": str(SHARED / "weights" / "mobilenet_1_0_224_notop.weights.h5"),
    "/path/to/squeezenet_1_1.keras": str(SHARED / "weights" / "squeezenet_1_1.keras"),
}


@pytest.fixture(scope="module", params=["mobilenet", "squeezenet"])
def network(request: pytest.FixtureRequest) -> str:
    """The name of an experiment of the page."""
    return str(request.param)


@pytest.fixture(scope="module")
def project(network: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The page's command for the network, run, and its result in the workspace."""
    (command,) = commands_below("Networks of your own", ["squeezenet", "mobilenet"].index(network), "docs/photos.md")
    assert f" try {network} " in command
    command = re.sub("|".join(map(re.escape, PLACES)), lambda found: PLACES[found[0]], command)
    project = new_project(tmp_path_factory.mktemp(network) / "project")
    (project.folder.parent / "output.txt").write_text(project.run("bash", "-c", command))
    project.run("dvc", "exp", "apply", network, expect=None)  # not 0: nobody has made the digits here
    return project


def expected(network: str) -> tuple[float, float]:
    """The range of accuracies that the table of docs/experiments.md gives."""
    page = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
    row = re.findall(rf"\| `{network}` of .* \| (0\.\d+) to (0\.\d+)", page)
    return float(row[0][0]), float(row[0][1])


def test_cats_and_dogs_reach_the_accuracy_that_the_page_expects(network: str, project: Project) -> None:
    output = (project.folder.parent / "output.txt").read_text()
    assert stages_run(output) == ["prepare", "weights", "extract-features", "train-head", "evaluate", "report"]
    assert "2800 images: 0 reused, 2800 computed" in output
    metrics = json.loads((project.folder / "metrics" / "metrics.json").read_text())
    assert metrics["split"] == "validation"
    assert metrics["chose_the_epoch"]
    assert metrics["images"] == 800
    least, most = expected(network)
    assert least <= metrics["accuracy"] <= most
    assert json.loads((project.folder / "metrics" / "findings.json").read_text()) == []


def test_the_model_says_of_the_files_what_was_evaluated(project: Project, tmp_path: Path) -> None:
    """Loaded by plain Keras; as a SavedModel, which reads the files itself; and as ONNX."""
    from onepass.cli.export import command as export
    from onepass.model.exports import FORMATS
    from onepass.tensorflow import keras, tf

    with (project.folder / "metrics" / "predictions.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == "validation"][::20]
    predicted = np.array([[float(row["p_cats"]), float(row["p_dogs"])] for row in rows])
    files = [SHARED / "data" / "cats-dogs" / row["file"] for row in rows]
    photos = [np.asarray(Image.open(file).convert("RGB"))[None] for file in files]

    path = project.folder / "data" / "model.keras"
    model = keras.saving.load_model(path, safe_mode=True)
    found = {"keras": np.concatenate([model(photo) for photo in photos])}
    for form in ("savedmodel", "onnx"):
        export.main([str(path), "--format", form, "--output", str(tmp_path / form)], standalone_mode=False)
    (ask,) = FORMATS["onnx"].open(tmp_path / "onnx")
    found["onnx"] = np.concatenate([ask(photo) for photo in photos])[:, :2]  # behind them stands the distance
    signature = tf.saved_model.load(str(tmp_path / "savedmodel")).signatures["serving_default"]
    found["savedmodel"] = signature(files=tf.constant([file.read_bytes() for file in files]))["probabilities"].numpy()
    for name, tolerance in {"keras": 1e-3, "savedmodel": 2e-3, "onnx": 2e-3}.items():
        np.testing.assert_allclose(found[name], predicted, atol=tolerance, err_msg=name)
        assert np.array_equal(found[name].argmax(axis=1), predicted.argmax(axis=1))


def test_the_findings_say_why_a_frozen_network_with_tiny_steps_hardly_learns(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    project.set(
        {
            "data.root": str(SHARED / "data" / "materials"),
            "data.label_conflicts": "quarantine",
            "backbone.name": "MobileNet",
            "backbone.weights": PLACES["data/imagenet/MobileNet.weights.h5"],
            "backbone.image_side": 100,
            "backbone.layer": "conv_pw_12_relu",
            "head.kind": "linear",
            "train.learning_rate": 1e-5,
            "train.epochs": 10,
        }
    )
    output = project.run("dvc", "repro")
    findings = json.loads((project.folder / "metrics" / "findings.json").read_text())
    names = [finding["name"] for finding in findings]
    assert {"loss-still-falling", "foreign-preprocessing"} <= {*names}
    for finding in findings:
        assert f"{finding['name']}: {finding['evidence']} {finding['advice']}\n" in output
