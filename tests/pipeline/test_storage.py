"""backbone.storage: float16 halves the bytes of features, and everything after them computes with float32."""

import csv
from pathlib import Path

import numpy as np
import pytest

from onepass.features import open_store, read_features
from tests.builders import Project

pytestmark = pytest.mark.more


def size(project: Project) -> int:
    """Bytes of all features, without what stands beside them in each row and part."""
    store = open_store(project.folder / "data/features")
    return sum(
        store.unpack(path.read_bytes(), path.name)["features"].nbytes
        for path in (project.folder / "data/features").glob("*.npy")
    )


@pytest.mark.slow
def test_half_the_bytes_train_a_head_whose_model_says_what_evaluate_says(settled: Project) -> None:
    before, features = size(settled), settled.folder / "data/features"
    settled.set({"backbone.storage": "float16"})
    assert settled.repro()[0] == "extract-features"  # of all photos: the two are never mixed
    assert size(settled) * 2 == before
    store = open_store(features)
    hashes = [line.split()[0] for line in (settled.folder / "data/prepared/wanted_views.txt").read_text().splitlines()]
    assert read_features(features, store, hashes).dtype == np.float32

    settled.run("python", "-m", "onepass", "predict", "data/model.keras", photos_of(settled), "--output", "found.csv")
    tables = [settled.folder / name for name in ("found.csv", "metrics/predictions.csv")]
    found, expected = ({Path(row["file"]).name: float(row["p_cats"]) for row in rows_of(table)} for table in tables)
    assert len(expected) == 60
    np.testing.assert_allclose([found[name] for name in expected], [*expected.values()], atol=1e-4)


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def photos_of(project: Project) -> str:
    (root,) = [
        line.split()[1] for line in (project.folder / "params.yaml").read_text().splitlines() if "  root: " in line
    ]
    return root
