"""Whatever step of a run is its last, the next run ends as if nothing had happened."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builders import ENVIRONMENT, Project

FAULTS = Path(__file__).with_name("faults")
EVERY = int(os.environ.get("ONEPASS_FAULTS", "15"))  # faults in all
SHARES = {"kill": 0.6, "torn": 0.25, "full": 0.15}  # of the faults of a part; and as many again in the store
STORE = ("/data/features", "/.dvc/cache/onepass/")
# What meets the fault, each after those before it have run; stages in the order that dvc.lock has after a whole run.
PARTS = {
    "prepare": ["dvc", "repro", "prepare", "weights"],
    "extract-features": ["dvc", "repro", "prepare", "weights", "extract-features"],
    "train-head": ["dvc", "repro", "prepare", "weights", "extract-features", "train-head"],
    "evaluate": ["dvc", "repro"],
    "publish": ["dvc", "push", "--run-cache"],
}
# The order of stages that are named as targets is that of a set, which differs from process to process; that of a whole
# `dvc repro` does not.
STEADY = {"PYTHONHASHSEED": "0"}
pytestmark = pytest.mark.more


class Part(NamedTuple):
    """A command without a fault: the project before it, and what there is after it."""

    command: Sequence[str]
    before: Project
    lock: bytes
    outputs: dict[str, str]


@pytest.fixture(scope="module")
def parts(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Part]:
    """60 photos with a logistic head, and a remote in a folder."""
    project = pixel_project.copy(tmp_path_factory.mktemp("whole") / "project")
    project.run("git", "rm", "--quiet", "data/dvc.yaml")
    project.set({"head.kind": "logistic"})
    project.run("dvc", "remote", "add", "--default", "team", "remote")
    project.commit()
    found = {}
    for name, command in PARTS.items():
        before = project.copy(project.folder.parent / name / "project")
        project.run(*command, environment=STEADY)
        found[name] = Part(command, before, (project.folder / "dvc.lock").read_bytes(), outputs(project))
    return found


def outputs(project: Project) -> dict[str, str]:
    """Digests of all that is where the stages write, but the empty files with which DVC tries out links."""
    found = project.contents().items()
    return {
        name: digest
        for name, digest in found
        if name.startswith(("data/", "metrics/")) and not re.search(r"/\.[\w-]{22}\.tmp$", name)
    }


def run_with(project: Project, command: Sequence[str], fault: str, at: int) -> tuple[int, str]:
    """The command with one fault: how it ended, and what it said."""
    environment = {
        **ENVIRONMENT,
        **STEADY,
        "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site"),
        "PYTHONPATH": str(FAULTS),
        "FAULT": fault,
        "FAULT_AT": str(at),
        "FAULT_UNDER": f"{project.folder.resolve()}/",
        "FAULT_LOG": str(project.folder.parent / "steps.log"),
    }
    process = subprocess.Popen(
        command,
        cwd=project.folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    said = process.communicate(timeout=120)[0]
    return process.returncode, said


def steps_of(project: Project) -> list[str]:
    """The steps that were counted in the last run with ``run_with``."""
    return (project.folder.parent / "steps.log").read_text().splitlines()


def evenly(numbers: Sequence[int], count: int) -> list[int]:
    """So many of them, from the first to the last."""
    count = min(count, len(numbers))
    return [numbers[place * (len(numbers) - 1) // max(count - 1, 1)] for place in range(count)]


@pytest.mark.parametrize("name", PARTS)
def test_a_run_after_a_fault_ends_as_one_without(name: str, parts: dict[str, Part], tmp_path: Path) -> None:
    part = parts[name]
    counted = part.before.copy(tmp_path / "counted/project")
    assert run_with(counted, part.command, "none", 0)[0] == 0
    steps = steps_of(counted)
    places = range(1, len(steps) + 1)
    in_store = [place for place in places if any(folder in steps[place - 1] for folder in STORE)]
    opened = [place for place in places if steps[place - 1].startswith("open ")]
    count = EVERY // len(PARTS)
    chosen = [("kill", at) for at in evenly(in_store, count)] if name == "extract-features" else []
    for fault, share in SHARES.items():
        chosen += [(fault, at) for at in evenly(opened if fault == "torn" else places, round(count * share))]
    for number, (fault, at) in enumerate(chosen):
        project = part.before.copy(tmp_path / str(number) / "project")
        ended, said = run_with(project, part.command, fault, at)
        where = f"{fault} at step {at} of {len(steps)}: {steps[at - 1]}\n{said}"
        assert ended == -signal.SIGKILL if fault in ("kill", "torn") else "Traceback" not in said, where
        check_next_run(project, part, where)
        shutil.rmtree(project.folder.parent)


FOLDERS = (
    *("data/prepared", "data/features", "data/head", "metrics/training", "metrics"),
    *(".dvc/cache", ".dvc/cache/files", ".dvc/cache/onepass", ".dvc/tmp", "."),
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_run_in_which_a_folder_cannot_be_written_says_so_and_the_next_one_ends_well(
    folder: str, parts: dict[str, Part], tmp_path: Path
) -> None:
    project = parts["prepare"].before.copy(tmp_path / "project")
    (project.folder / folder).mkdir(parents=True, exist_ok=True)
    environment = {
        **STEADY,
        "PYTHONPATH": str(FAULTS),
        "FAULT": "read-only",
        "FAULT_AT": "0",
        "FAULT_UNDER": str((project.folder / folder).resolve()),
        "FAULT_LOG": str(tmp_path / "steps.log"),
    }
    said = project.run("dvc", "repro", expect=None, environment=environment)
    assert steps_of(project)
    assert "Traceback" not in said
    assert "can only be read" in said or "Read-only file system" in said, said
    check_next_run(project, parts["evaluate"], said)


def check_next_run(project: Project, part: Part, where: str) -> None:
    """The same command again, after what the README has people run first, gives the bytes of a run without a fault."""
    try:
        project.run("python", "-m", "onepass", "check")
        project.run(*part.command, environment=STEADY)
    except AssertionError as error:
        raise AssertionError(f"after {where}") from error
    assert (project.folder / "dvc.lock").read_bytes() == part.lock, where
    assert outputs(project) == part.outputs, where
    if part.command[1] == "push":
        project.run("rm", "-rf", ".dvc/cache", "data/features", "data/head", "data/prepared", "data/model.keras")
        project.run("dvc", "pull")
        assert outputs(project) == part.outputs, where
