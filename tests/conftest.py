"""What all tests share: the order in which they run, what they skip, and projects that are made once."""

import os
import shutil
from pathlib import Path

import pytest

from tests.builders import SHARED, Project, new_project, with_own_photos, write_photos

LONGEST = [
    "test_try_sequences",
    "test_team",
    "test_real_photos",
    "test_audit",
    "test_readme",
    "test_recipes",
    "test_best",
    "test_abstention",
    "test_faults",
    "test_stages_run",
    "test_check",
    "test_compare",
    "test_report_large",
    "test_incremental",
    "test_interrupted",
    "test_repair",
    "test_views",
]


def pytest_configure(config: pytest.Config) -> None:
    """In CI nothing that only the shared folder can show may be skipped in silence."""
    config.addinivalue_line("markers", "shared: needs the shared folder beside the checkout")
    if os.environ.get("ONEPASS_REQUIRE_SHARED") and not SHARED.is_dir():
        raise pytest.UsageError(f"ONEPASS_REQUIRE_SHARED is set, but {SHARED} is not there")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first, so that two workers end together; skips what lacks the shared folder."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    if not SHARED.is_dir():
        for item in items:
            if item.get_closest_marker("shared"):
                item.add_marker(pytest.mark.skip(reason="no ../shared (real photos and weights) beside the checkout"))


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .keras file of a network with random weights and the layers early, late and top."""
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(4, 3, strides=2, activation="relu", name="early"),
            layers.Conv2D(8, 3, strides=2, activation="relu", name="late"),
            layers.GlobalAveragePooling2D(name="top"),
        ]
    )
    path: Path = tmp_path_factory.mktemp("backbone") / "tiny.keras"
    network.save(path)
    return path


@pytest.fixture(scope="session")
def pixel_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 photos in two classes, cut at the input: nothing before train-head needs TensorFlow. Not run yet."""
    folder = tmp_path_factory.mktemp("pixels")
    write_photos(folder / "photos", {"cats": 30, "dogs": 30})
    project = new_project(folder / "project")
    project.set(
        {
            "data.root": str(folder / "photos"),
            "backbone.layer": "input",
            "backbone.weights": "data/no-weights.txt",
            "backbone.image_side": 8,
            "train.epochs": 2,
        }
    )
    project.commit()
    return project


@pytest.fixture
def fresh(pixel_project: Project, tmp_path: Path) -> Project:
    """A copy of ``pixel_project`` with photos of its own, to change at will."""
    return with_own_photos(pixel_project, tmp_path)


@pytest.fixture(scope="session")
def pixels_done(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 photos with a logistic head, everything run and committed; nothing of data/dvc.yaml is in use."""
    project = with_own_photos(pixel_project, tmp_path_factory.mktemp("done"))
    project.run("git", "rm", "--quiet", "data/dvc.yaml")
    project.set({"head.kind": "logistic"})
    project.repro()
    project.commit()
    return project


@pytest.fixture(scope="session")
def settled_project(pixel_project: Project, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny photos through the tiny backbone, with everything run and committed."""
    project = with_own_photos(pixel_project, tmp_path_factory.mktemp("settled"))
    shutil.copy(tiny_backbone, project.folder.parent / "tiny.keras")
    project.set(
        {
            "backbone.weights": str(project.folder.parent / "tiny.keras"),
            "backbone.layer": "late",
            "backbone.image_side": 16,
        }
    )
    assert project.repro() == ["prepare", "weights", "extract-features", "train-head", "evaluate", "report"]
    project.commit()
    return project


@pytest.fixture
def settled(settled_project: Project, tmp_path: Path) -> Project:
    """A copy of ``settled_project``; its photos are still the original's, so tests that change them copy them."""
    return settled_project.copy(tmp_path / "project")
