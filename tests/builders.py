"""Real parts for the tests: a copy of the project with git and DVC, tiny photos, and params as params.yaml has them."""

import hashlib
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
from PIL import Image
from ruamel.yaml import YAML

from onepass.backbones import Backbone, resolve
from onepass.core import csv_line, read_yaml
from onepass.heads import HeadPlan, read_head_plan
from onepass.params import BackboneParams, ParamsFile

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"  # real photos and weights that developers have beside the checkout
MOBILENET = {  # params for features of real photos by the shared weights
    "backbone.name": "MobileNet",
    "backbone.weights": str(SHARED / "weights" / "mobilenet_1_0_224_notop.weights.h5"),
    "backbone.image_side": 150,
    "backbone.layer": "conv_pw_12_relu",
    "backbone.pooling": "avg",
    "backbone.preprocess": "native",
}
NOTHING: Mapping[str, str] = {}
# Runs a command and says how many bytes of memory it took at most. A process of its own between: Linux counts what the
# one that starts a process has in memory as that process's.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)
"""
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
}


def params(**changes: Any) -> ParamsFile:
    """The params.yaml that the project ships, with changes: ``params(backbone__layer="input")``."""
    path = ROOT / "params.yaml"
    content = read_yaml(path.read_bytes(), str(path))
    for name, value in changes.items():
        section, key = name.split("__")
        content[section][key] = value
    return ParamsFile(content)


def backbone(**changes: Any) -> Backbone:
    """The shipped backbone with changes to its section, resolved."""
    return resolve(params(**{f"backbone__{key}": value for key, value in changes.items()}).read(BackboneParams))


def head_plan(kind: str, head: Mapping[str, Any] = NOTHING, train: Mapping[str, Any] = NOTHING) -> HeadPlan:
    """A kind of head with its defaults, but for these keys, on features of a network that is cut inside."""
    content = ParamsFile({"head": {"kind": kind, **head}, "train": dict(train)})
    return read_head_plan(content, BackboneParams(name="custom", weights="w.keras", layer="features"))


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

    def contents(self) -> dict[str, str]:
        """A digest of each file that is a person's to see."""
        hidden = (".git", ".dvc/tmp", ".dvc/cache")
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file()
            and not str(path.relative_to(self.folder)).startswith(hidden)
            and "__pycache__" not in path.parts
        }

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


def with_own_photos(project: Project, folder: Path) -> Project:
    """A copy of a project beside a copy of its photos."""
    shutil.copytree(project.folder.parent / "photos", folder / "photos")
    copied = project.copy(folder / "project")
    copied.set({"data.root": str(folder / "photos")})
    copied.commit()
    return copied
