"""docs/hub.md: a preset of Keras Hub is a backbone like any other, from `weights add` to predictions."""

import csv
import io
from pathlib import Path

import pytest

from tests.builders import Project, new_project, write_photos
from tests.unit.backbones.test_hub_preset import save, shaken

pytestmark = pytest.mark.more
SIDE = 32
# Plain Keras, without this project, on photos that have the side already.
LOADED = """
import csv, sys
import keras, numpy as np
from PIL import Image
model = keras.saving.load_model("data/model.keras")
rows = list(csv.DictReader(open("metrics/predictions.csv")))
photos = np.stack([np.asarray(Image.open(sys.argv[1] + "/" + row["file"])) for row in rows])
probabilities = model(photos).numpy()
given = np.array([[float(row[key]) for key in row if key.startswith("p_")] for row in rows])
assert given.shape == probabilities.shape, (list(rows[0]), given.shape, probabilities.shape)
print("largest difference", np.abs(given - probabilities).max())
"""


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from onepass.tensorflow import keras, keras_hub

    keras.utils.set_random_seed(0)
    shape = {"num_layers": 1, "num_heads": 2, "hidden_dim": 12, "mlp_dim": 24}
    network = keras_hub().models.ViTBackbone(image_shape=(SIDE, SIDE, 3), patch_size=8, **shape)
    return save(shaken(network), tmp_path_factory.mktemp("presets") / "tiny-vit", SIDE)


@pytest.fixture(scope="module")
def project(preset: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run with class tokens and their neighbours' mean."""
    folder = tmp_path_factory.mktemp("hub")
    write_photos(folder / "photos", {"ant": 25, "bee": 25}, side=SIDE)
    project = new_project(folder / "project")
    seen = {f"backbone.{key}": "native" for key in ("image_side", "preprocess", "interpolation")}
    project.set({"data.root": str(folder / "photos"), "backbone.name": "hub", "backbone.layer": "last", **seen})
    project.set({"backbone.pooling": "cls+avg", "head.kind": "linear", "train.epochs": 5})
    project.run("python", "-m", "onepass", "weights", "add", str(preset))
    project.run("dvc", "repro")
    return project


def predictions(text: str) -> dict[str, tuple[str, list[float]]]:
    """By the name of the file: the class, and the probabilities."""
    rows = csv.DictReader(io.StringIO(text))
    return {
        Path(row["file"]).name: (row["predicted"], [float(row[key]) for key in row if key.startswith("p_")])
        for row in rows
    }


def test_predict_and_plain_keras_say_what_evaluate_said(project: Project) -> None:
    assert (project.folder / "data/weights/tiny-vit.dvc").is_file()
    evaluated = predictions((project.folder / "metrics/predictions.csv").read_text())
    photos = project.folder.parent / "photos"
    project.run("python", "-m", "onepass", "predict", "data/model.keras", str(photos), "--output", "found.csv")
    found = predictions((project.folder / "found.csv").read_text())
    for name, (label, probabilities) in evaluated.items():
        assert found[name][0] == label
        assert found[name][1] == pytest.approx(probabilities, abs=1e-4)
    said = project.run("python", "-c", LOADED, str(photos))
    assert float(said.split()[-1]) < 1e-4


def test_the_layers_above_a_cut_are_trained_from_what_the_preset_has(project: Project) -> None:
    project.set({"backbone.layer": "vit_patching_and_embedding", "backbone.pooling": "none", "train.unfreeze": "last"})
    project.set({"head.kind": "mlp", "head.pooling": "none", "train.learning_rate": 0.0003})
    assert project.repro() == ["extract-features", "train-head", "evaluate", "report"]
    photos = project.folder.parent / "photos"
    assert float(project.run("python", "-c", LOADED, str(photos)).split()[-1]) < 1e-4


def test_a_name_that_keras_hub_does_not_know_or_cannot_fetch_is_refused(project: Project) -> None:
    said = project.run("python", "-m", "onepass", "weights", "fetch", "dinov2_smal", expect=2)
    assert "has no preset dinov2_smal; the most alike are: dinov2_small" in said
    said = project.run("python", "-m", "onepass", "weights", "fetch", "dinov2_small", expect=2)
    assert "the preset dinov2_small could not be fetched" in said
