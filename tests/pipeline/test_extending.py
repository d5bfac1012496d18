"""docs/extending.md's examples are whole files: each works in the pipeline, registered from outside the package."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.builders import ENVIRONMENT, ROOT, Project, new_project, write_photos

EXAMPLES = re.findall(
    r"^## (?:A|An) (.+?)\n.*?```python\n(.*?)```",
    (ROOT / "docs" / "extending.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE | re.DOTALL,
)
STAGES = """
from pathlib import Path
from stages import evaluate, extract_features, prepare, report, train_head, weights

record = Path("data/weights.json")
prepared, features, head, training, out = map(
    Path, ("data/prepared", "data/features", "data/head", "metrics/training", "metrics")
)
prepare.main(prepared)
weights.main(record)
extract_features.main(record, prepared, features)
train_head.main(record, prepared / "splits.csv", features, head, Path("data/model.keras"), training)
evaluate.main(prepared, features, head, training, out)
report.main(prepared, features, head, training, out)
"""
KINDS = ["head", "source of backbones", "engine", "finding", "layout"]


def run_extended(project: Project) -> str:
    """Writes each example into a file beside the package, imports all of them, and runs the stages."""
    for name, code in EXAMPLES:
        (project.folder / f"my_{name.split()[0]}.py").write_text(code, encoding="utf-8")
    imports = "".join(f"import my_{name.split()[0]}\n" for name, _ in EXAMPLES)
    (project.folder / "extended.py").write_text(imports + STAGES)
    done = subprocess.run(
        [sys.executable, "extended.py"],
        cwd=project.folder,
        env={**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def flat(tmp_path: Path) -> Project:
    """A project whose photos lie in one folder, with the label in the name."""
    write_photos(tmp_path / "classes", {"cat": 30, "dog": 30})
    (tmp_path / "photos").mkdir()
    for number, file in enumerate(sorted((tmp_path / "classes").glob("*/*.png"))):
        file.rename(tmp_path / "photos" / f"{file.parent.name}.{number:03}.png")
    project = new_project(tmp_path / "project")
    project.set(
        {
            "data.root": str(tmp_path / "photos"),
            "head.kind": "nearest-mean",
            "head.shrinkage": 0.1,
            "split.test_fraction": 0.3,
        }
    )
    return project


def test_there_is_an_example_for_each_kind_of_thing() -> None:
    assert [name for name, _ in EXAMPLES] == KINDS


def test_a_source_a_head_a_finding_and_a_layout_from_outside_finish_the_pipeline(flat: Project) -> None:
    flat.set({"backbone.name": "tiles", "backbone.weights": "data/no-weights.txt", "backbone.image_side": 8})
    flat.set({"backbone.layer": "last", "backbone.preprocess": "none"})
    output = run_extended(flat)
    assert "60 images, 2 classes, 0 quarantined" in output
    assert "60 images: 0 reused, 60 computed" in output
    metrics = json.loads((flat.folder / "metrics" / "metrics.json").read_text())
    assert metrics["accuracy"] == 1.0
    findings = json.loads((flat.folder / "metrics" / "findings.json").read_text())
    assert findings[0]["name"] == "flawless"
    page = (flat.folder / "metrics" / "report.html").read_text()
    assert "Flawless" in page
    assert "head.shrinkage" in page
    # The whole model is the source's own: from its file and the tiles of a photo, the label follows.
    model = json.loads((flat.folder / "data" / "model.keras").read_text())
    kernel, bias = map(np.array, json.loads(model["layers"]))
    parts = [np.load(part)["features"] for part in (flat.folder / "data" / "features").glob("*.npy")]
    logits = np.concatenate(parts).reshape(60, -1) @ kernel + bias
    assert model["classes"] == ["cat", "dog"]
    assert int((logits > 0).sum()) == 30


@pytest.mark.slow
def test_an_engine_from_outside_gives_the_features_of_the_built_in_one(flat: Project, tiny_backbone: Path) -> None:
    flat.set({"backbone.weights": str(tiny_backbone), "backbone.layer": "late", "backbone.image_side": 16})
    outputs = {}
    for runtime in ("tensorflow", "unfrozen"):
        flat.set({"backbone.runtime": runtime})
        assert "60 images: 0 reused, 60 computed" in run_extended(flat)
        parts = sorted((flat.folder / "data" / "features").glob("*.npy"))
        outputs[runtime] = np.concatenate([np.load(part)["features"] for part in parts])
    np.testing.assert_allclose(outputs["unfrozen"], outputs["tensorflow"], rtol=1e-4, atol=1e-5)


def test_an_unknown_key_of_the_toy_head_is_still_refused_without_it(flat: Project) -> None:
    output = flat.run("python", "-m", "onepass", "check", expect=2)
    assert "head.kind: 'nearest-mean' given; allowed: cnn | lda | linear | logistic | mlp" in output
    assert "head.shrinkage: unknown key" in output
