"""A copy of this project to measure in: the last commit, with params of its own; its stages, with DVC and without."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

# No network: features are pixels.
PIXELS: Mapping[str, Any] = {"backbone.layer": "input", "backbone.weights": "data/no-weights.txt"}
# So that few photos suffice: each class must have some in every split.
TWO_SPLITS: Mapping[str, Any] = {"split.validation_fraction": 0.4, "split.test_fraction": 0}
# What an earlier run knows of photos: pools of rows computed lately, what decoding found, features.
KNOWN = (".dvc/cache/onepass", "data/prepared/decoding.json", "data/features")
SOMEBODY = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")

# Of a command in a process of its own. A child's peak memory counts from that of its parent: this one is small.
MEASURER = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


class Cost(NamedTuple):
    """Of one process."""

    seconds: float
    mebibytes: float  # peak resident memory


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


def mobilenet(photos: Path, weights: Path) -> dict[str, Any]:
    """Params of MobileNet at 150 pixels, cut before its last block."""
    below = {"name": "MobileNet", "weights": str(weights), "image_side": 150, "layer": "conv_pw_12_relu"}
    below["preprocess"] = "native"
    return {**TWO_SPLITS, "data.root": str(photos)} | {f"backbone.{key}": value for key, value in below.items()}


def run(project: Path, *command: str) -> str:
    """Runs a command in a project; what it printed. SystemExit: it failed, with what it said."""
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def dvc(project: Path, *arguments: str) -> str:
    """Runs DVC in a project; what its stages and it printed."""
    return run(project, "dvc", *arguments)


def commit(project: Path) -> None:
    """Commits all that git sees."""
    run(project, "git", "add", "--all")
    run(project, "git", *SOMEBODY, "commit", "--quiet", "--message", "state")


def run_afresh(project: Path, *stages: str) -> list[Cost]:
    """Runs stages one after the other as DVC would, as if this machine had never seen one of the photos."""
    forget(project)
    return [cost(stage_command(project, stage), project) for stage in stages]


def forget(project: Path) -> None:
    """Deletes what earlier runs know of photos."""
    for known in KNOWN:
        path = project / known
        path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)


def stage_command(project: Path, stage: str) -> list[str]:
    """The stage itself, of a command that may check params.yaml first."""
    command = YAML(typ="safe").load(project / "dvc.yaml")["stages"][stage]["cmd"]
    return shlex.split(command.rsplit(" && ", maxsplit=1)[-1].removeprefix("exec "))


def cost(command: list[str], folder: Path) -> Cost:
    """Runs a command to its end. SystemExit: it failed; its error stands above."""
    measured = [sys.executable, "-c", MEASURER, *command]
    done = subprocess.run(measured, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {done.returncode}")
    return Cost(*map(float, done.stdout.split()))
