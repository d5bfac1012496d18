"""A copy of this project to measure in: the last commit, with params of its own."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PIXELS = {"backbone.layer": "input", "backbone.weights": "data/no-weights.txt"}  # no network: features are pixels


def new_project(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Clones the project in the current folder and sets params, {"train.epochs": 3}."""
    subprocess.run(["git", "clone", "--quiet", ".", str(folder)], check=True)
    set_params(folder, changes)
    return folder


def set_params(project: Path, changes: Mapping[str, Any]) -> None:
    """Edits params.yaml."""
    yaml = YAML()
    params = yaml.load(project / "params.yaml")
    for name, value in changes.items():
        section, key = name.split(".")
        params[section][key] = value
    yaml.dump(params, project / "params.yaml")


def dvc(project: Path, *arguments: str) -> None:
    """Runs DVC in a project; its error is ours."""
    subprocess.run(["dvc", *arguments], cwd=project, check=True, stdout=subprocess.DEVNULL)
