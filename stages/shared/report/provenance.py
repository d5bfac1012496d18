"""Where results come from: the revision of the code, the content of the data, and how this machine ran."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from stages.shared.run_log import key_of_files, recall

LIBRARIES = ("dvc", "keras", "numpy", "pillow", "scikit-learn", "tensorflow")


class Facts(NamedTuple):
    """What no DVC output holds, because it differs between machines and days."""

    revision: str  # of git; empty where there is none
    changed: list[str]  # tracked files that differ from that revision
    versions: dict[str, str]
    runs: dict[str, dict[str, Any] | None]  # by stage: seconds and the like; None where another machine ran it


class Recorded(NamedTuple):
    """What dvc.lock says of the last run; nothing where there is no dvc.lock."""

    settings: dict[str, Any]  # by the names of params.yaml, train.seed
    digests: dict[str, tuple[str, str]]  # by what it is: path and MD5; .dir marks the listing of a folder


def gather_facts(prepared: Path, features: Path, head: Path, predictions_sha256: str) -> Facts:
    """What git, the environment and this machine's memory of runs say of what lies in the workspace."""
    made = {
        "prepare": (prepared / "splits.csv",),
        "extract-features": (features / "fingerprint.json", prepared / "hashes.txt"),
        "train-head": (head / "head.json", head / "weights.npz"),
    }
    return Facts(
        revision=_git("rev-parse", "HEAD").strip(),
        changed=[line[3:] for line in _git("status", "--porcelain", "--untracked-files=no").splitlines()],
        versions={"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        runs={stage: _run(stage, *paths) for stage, paths in made.items()}
        | {"evaluate": recall("evaluate", predictions_sha256)},
    )


def read_lock(path: Path) -> Recorded:
    """The settings of all stages, and the content of what they read and wrote."""
    if not path.is_file():
        return Recorded({}, {})
    stages = YAML(typ="safe").load(path)["stages"]
    settings = {
        key: value for stage in stages.values() for key, value in stage.get("params", {}).get("params.yaml", {}).items()
    }
    wanted = {
        "photos": ("prepare", "deps", settings.get("data.root")),
        "weights": ("extract-features", "deps", settings.get("backbone.weights")),
        "features": ("extract-features", "outs", "data/features"),
        "head": ("train-head", "outs", "data/head"),
    }
    digests = {
        what: (entry["path"], entry["md5"])
        for what, (stage, kind, file) in wanted.items()
        for entry in stages.get(stage, {}).get(kind, [])
        if entry["path"] == file
    }
    return Recorded(settings, digests)


def _run(stage: str, *made: Path) -> dict[str, Any] | None:
    """What was recorded of the run that made these files."""
    if not all(path.is_file() for path in made):
        return None
    return recall(stage, key_of_files(*made))


def _git(*arguments: str) -> str:
    """What git prints; nothing where there is no git or no repository."""
    try:
        command = ["git", "--no-optional-locks", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, errors="replace").stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
