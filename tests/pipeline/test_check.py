"""What only the classes or the network can tell to be wrong is told before a photo passes the network."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.checks import misfits
from onepass.params import read_params
from tests.builders import Project, stages_run, with_own_photos, write_photos
from tests.pipeline.watched_photos.watch import Watch

pytestmark = pytest.mark.slow

PREPARED = Path("data/prepared")
WITHOUT_TENSORFLOW = """
import sys
from pathlib import Path
from onepass.checks import misfits
from onepass.params import read_params
assert misfits(read_params(), Path("data/prepared")) == []
print("tensorflow" in sys.modules)
"""
# What is wrong, the key and value that are named, and what is allowed instead.
MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    (
        {"train.unfreeze": "early", "backbone.image_side": 20},
        "train.unfreeze: early given, which is not above backbone.layer: late",
        "allowed: none, last, top",
    ),
    (
        {"train.unfreeze": "tpo", "backbone.image_side": 20},
        "train.unfreeze: 'tpo' given, which this network does not have",
        "allowed: last, none",
    ),
    (
        {"head.pooling": "avg", "backbone.pooling": "max"},
        "head.pooling: avg given for features of the shape (8,)",
        "allowed: none",
    ),
    (
        {"train.unfreeze": "top", "head.pooling": "avg", "backbone.image_side": 20},
        "head.pooling: avg given for features of the shape (8,)",
        "allowed: none",
    ),
    (
        {"head.kind": "cnn", "head.filters": [4, 4, 4], "backbone.image_side": 20},
        "head.kind: cnn with head.filters: [4, 4, 4] given for features of the shape (4, 4, 8)",
        "allowed: (height, width, channels) of at least 8 by 8",
    ),
    (
        {"head.activation": "sigmoid", "backbone.image_side": 20},
        "head.activation: sigmoid given, which tells two classes apart; these are 3: birds, cats, dogs",
        "allowed: softmax, auto",
    ),
]


@pytest.fixture(scope="module")
def three_classes(settled_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three classes through the tiny backbone, with everything run and committed."""
    project = with_own_photos(settled_project, tmp_path_factory.mktemp("three"))
    write_photos(project.folder.parent / "photos", {"birds": 20}, seed=3)
    project.repro()
    project.commit()
    return project


@pytest.fixture
def project(three_classes: Project, tmp_path: Path) -> Project:
    return three_classes.copy(tmp_path / "project")


@pytest.fixture
def here(three_classes: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, of which only params.yaml changes until the end of the test, as the current directory."""
    monkeypatch.chdir(three_classes.folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(three_classes.folder.parent / "site"))
    return three_classes


@pytest.fixture
def change(here: Project) -> Any:
    """Edits params.yaml, until the end of the test."""
    before = Path("params.yaml").read_bytes()
    yield here.set
    Path("params.yaml").write_bytes(before)


def computed(project: Project) -> set[Path]:
    """The files with rows that passed a network on this machine."""
    return set((project.folder / ".dvc/cache/onepass/pool").rglob("*"))


@pytest.mark.parametrize(("changes", "said", "allowed"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_told_with_what_is_allowed(
    changes: dict[str, Any], said: str, allowed: str, change: Callable[[dict[str, Any]], None]
) -> None:
    change(changes)
    (problem,) = misfits(read_params(), PREPARED)
    assert said in problem
    assert allowed in problem


# One that the network shows, and one that the classes do.
@pytest.mark.parametrize(("changes", "said", "allowed"), [MISTAKES[1], MISTAKES[5]], ids=["network", "classes"])
def test_a_mistake_stops_repro_and_try_before_a_photo_passes_the_network(
    changes: dict[str, Any], said: str, allowed: str, three_classes: Project, project: Project
) -> None:
    watch, before = Watch(three_classes.folder.parent / "photos", project.folder.parent), computed(project)
    options = [part for key, value in changes.items() for part in ("-S", f"{key}={value}")]
    tried = project.run("python", "-m", "onepass", "try", "wrong", *options, expect=1, environment=watch.environment)
    project.set(changes)
    run = project.run("dvc", "repro", expect=None, environment=watch.environment)
    for output in (tried, run):
        assert said in output
        assert allowed in output
        assert stages_run(output) == ["extract-features"]  # which checks, and fails
        assert "images: " not in output
    assert computed(project) == before
    assert watch.opened() == []


def test_the_watch_sees_the_photos_that_pass_the_network(three_classes: Project, project: Project) -> None:
    watch, before = Watch(three_classes.folder.parent / "photos", project.folder.parent), computed(project)
    project.set({"backbone.image_side": 20})
    project.run("dvc", "repro", "extract-features", environment=watch.environment)
    assert len(watch.opened()) == 80
    assert computed(project) > before


def test_what_fits_together_is_passed(change: Callable[[dict[str, Any]], None]) -> None:
    for changes in (
        {"head.kind": "cnn", "head.filters": [4]},
        {"head.kind": "mlp", "head.pooling": "avg"},
        {"train.unfreeze": "top", "head.pooling": "none"},
        {"train.unfreeze": "none", "head.activation": "softmax"},
    ):
        change(changes)
        assert misfits(read_params(), PREPARED) == []


def test_all_mistakes_are_told_at_once(change: Callable[[dict[str, Any]], None]) -> None:
    change({"head.activation": "sigmoid", "train.unfreeze": "tpo"})
    keys = [line.partition(":")[0] for line in misfits(read_params(), PREPARED)]
    assert keys == ["head.activation", "train.unfreeze"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"head.kind": "cnn", "head.filters": [4]},
        {"head.kind": "logistic", "head.pooling": "max"},
        {"backbone.layer": "input", "backbone.image_side": 4, "head.kind": "cnn"},
    ],
    ids=str,
)
def test_a_shape_that_is_known_needs_no_tensorflow(
    changes: dict[str, Any], here: Project, change: Callable[[dict[str, Any]], None]
) -> None:
    change(changes)
    assert here.run(sys.executable, "-c", WITHOUT_TENSORFLOW) == "False\n"


@pytest.mark.parametrize("lost", [".dvc/cache/onepass/descriptions", "dvc.lock"])
def test_the_machines_note_or_the_last_features_know_the_shape(lost: str, project: Project) -> None:
    project.run("rm", "-r", lost)
    project.set({"head.pooling": "max"})
    assert project.run(sys.executable, "-c", WITHOUT_TENSORFLOW) == "False\n"


def test_a_network_that_nobody_knows_is_loaded_once(project: Project) -> None:
    project.set({"head.pooling": "max", "backbone.image_side": 24})
    assert project.run(sys.executable, "-c", WITHOUT_TENSORFLOW).endswith("True\n")
    assert project.run(sys.executable, "-c", WITHOUT_TENSORFLOW) == "False\n"


def test_what_is_not_there_yet_is_left_to_who_needs_it(project: Project) -> None:
    project.set({"head.pooling": "max", "train.unfreeze": "tpo", "backbone.weights": "later.keras"})
    project.run("python", "-m", "onepass", "check", "data/prepared")
    project.set({"head.activation": "sigmoid"})
    (project.folder / "data/prepared/splits.csv").unlink()
    project.run("python", "-m", "onepass", "check", "data/prepared")


def test_a_folder_that_does_not_exist_is_told(project: Project) -> None:
    said = project.run("python", "-m", "onepass", "check", "data/prepard", expect=2)
    assert "PREPARED: data/prepard given, which is no folder. `dvc repro prepare` writes data/prepared." in said
