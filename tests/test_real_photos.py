"""The README's commands on real photos with real pretrained weights, which lie beside the developers' checkouts."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, SHARED, new_project, stages_run
from tests.readme import readme_block

pytestmark = [pytest.mark.slow, pytest.mark.shared]

PLACES = {
    "/path/to/photos": str(SHARED / "data" / "cats-dogs"),
    "data/imagenet/MobileNet.weights.h5": str(SHARED / "weights" / "mobilenet_1_0_224_notop.weights.h5"),
    "/path/to/squeezenet_1_1.keras": str(SHARED / "weights" / "squeezenet_1_1.keras"),
}


def expected(network: str) -> tuple[float, float]:
    """The range of accuracies that the README's table gives."""
    row = re.findall(rf"\| `{network}` above \| (0\.\d+) to (0\.\d+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    return float(row[0][0]), float(row[0][1])


@pytest.mark.parametrize("network", ["mobilenet", "squeezenet"])
def test_cats_and_dogs_reach_the_accuracy_that_the_readme_expects(network: str, tmp_path: Path) -> None:
    commands = readme_block("Your own photos", ["mobilenet", "squeezenet"].index(network))
    (command,) = [line for line in commands if f"--name {network}" in line]
    command = re.sub("|".join(map(re.escape, PLACES)), lambda found: PLACES[found[0]], command)
    project = new_project(tmp_path / "project")
    output = project.run("bash", "-c", command)
    assert stages_run(output) == ["prepare", "extract-features", "train-head", "evaluate"]
    assert "2800 images: 0 reused, 2800 computed" in output
    metrics = json.loads((project.folder / "metrics" / "metrics.json").read_text())
    assert metrics["split"] == "validation"
    assert metrics["chose_the_epoch"]
    assert metrics["images"] == 800
    least, most = expected(network)
    assert least <= metrics["accuracy"] <= most
    assert json.loads((project.folder / "metrics" / "findings.json").read_text()) == []


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
