"""Real parts for the tests: a copy of the project with git and DVC, tiny photos, a tiny backbone."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from stages.shared.photos.tables import csv_line

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"  # real photos and weights that developers have beside the checkout
LONGEST = [
    "test_team",
    "test_recipes",
    "test_stages_run",
    "test_real_photos",
    "test_compare",
    "test_report_large",
    "test_incremental",
    "test_interrupted",
    "test_repair",
    "test_views",
]
NOTHING: Mapping[str, str] = {}
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
}


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


class Project:
    """A checkout of this project in a temporary folder, driven as a user drives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: str, expect: int | None = 0, environment: Mapping[str, str] = NOTHING) -> str:
        """Runs a command in the project; both its outputs together. Checks the exit code unless None."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(self.folder.parent / "site"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert expect is None or done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def repro(self, *arguments: str) -> list[str]:
        """``dvc repro``: the stages that ran, in order."""
        return stages_run(self.run("dvc", "repro", *arguments))

    def run_queue(self, workers: int, environment: Mapping[str, str] = NOTHING) -> None:
        """Runs all queued experiments and waits for their end."""
        self.run("dvc", "queue", "start", "--jobs", str(workers), environment=environment)
        end = time.monotonic() + 300
        while re.search("Queued|Running", status := self.run("dvc", "queue", "status")):
            assert time.monotonic() < end, status
            time.sleep(1)
        assert "Failed" not in status, status

    def set(self, changes: Mapping[str, Any]) -> None:
        """Edits params.yaml: {"train.epochs": 3}."""
        yaml = YAML()
        path = self.folder / "params.yaml"
        content = yaml.load(path)
        for name, value in changes.items():
            section, key = name.split(".")
            content[section][key] = value
        yaml.dump(content, path)

    def commit(self) -> None:
        """Commits everything that git sees."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "state")

    def copy(self, folder: Path) -> "Project":
        """The same project elsewhere, with its cache."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)


def stages_run(output: str) -> list[str]:
    """The stages that DVC says it ran, in order, without those of data/dvc.yaml."""
    return re.findall(r"Running stage '([a-z-]+)'", output)


def new_project(folder: Path) -> Project:
    """The files of this checkout, as git sees them, in a repository of their own."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.endswith("dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    project = Project(folder)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.commit()
    return project


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """The bytes of a CSV as the stages write it."""
    return "".join(map(csv_line, [columns, *rows])).encode(errors="surrogateescape")


def write_photos(root: Path, classes: Mapping[str, int], side: int = 12, seed: int = 0) -> None:
    """Noise around a colour of the class, a PNG each: classes that can be told apart, no two files alike."""
    random = np.random.default_rng(seed)
    for place, (name, count) in enumerate(classes.items()):
        colour = np.roll([190, 90, 60], place)
        for number in range(count):
            pixels = np.clip(colour + random.normal(0, 40, (side, side, 3)), 0, 255).astype(np.uint8)
            (root / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / name / f"{name}-{seed}-{number:04d}.png")


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .keras file of a network with random weights and the layers early, late and top."""
    from stages.shared.tensorflow import keras

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


def with_own_photos(project: Project, folder: Path) -> Project:
    """A copy of a project beside a copy of its photos."""
    shutil.copytree(project.folder.parent / "photos", folder / "photos")
    copied = project.copy(folder / "project")
    copied.set({"data.root": str(folder / "photos")})
    copied.commit()
    return copied


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
    assert project.repro() == ["prepare", "extract-features", "train-head", "evaluate"]
    project.commit()
    return project


@pytest.fixture
def settled(settled_project: Project, tmp_path: Path) -> Project:
    """A copy of ``settled_project``; its photos are still the original's, so tests that change them copy them."""
    return settled_project.copy(tmp_path / "project")
