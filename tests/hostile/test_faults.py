"""Whatever step of a run is its last, the next run ends as if nothing had happened."""

import os
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
# What is killed, and what has run before it.
PARTS = {
    "prepare": (["dvc", "repro", "prepare"], []),
    "extract-features": (["dvc", "repro", "extract-features"], ["dvc", "repro", "prepare"]),
    "train-head": (["dvc", "repro", "train-head"], ["dvc", "repro", "extract-features"]),
    "evaluate": (["dvc", "repro"], ["dvc", "repro", "train-head"]),
    "publish": (["dvc", "push", "--run-cache"], ["dvc", "repro"]),
}
pytestmark = pytest.mark.more


class Whole(NamedTuple):
    """A project that has run without a fault, and the ones before each part of it."""

    before: dict[str, Project]
    lock: bytes
    outputs: dict[str, str]


@pytest.fixture(scope="module")
def whole(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """60 photos with a logistic head, part by part, with a remote in a folder."""
    project = pixel_project.copy(tmp_path_factory.mktemp("whole") / "project")
    project.run("git", "rm", "--quiet", "data/dvc.yaml")
    project.set({"head.kind": "logistic"})
    project.run("dvc", "remote", "add", "--default", "team", "remote")
    project.commit()
    before = {}
    for part, (command, _) in PARTS.items():
        before[part] = project.copy(project.folder.parent / part / "project")
        project.run(*command)
    return Whole(before, (project.folder / "dvc.lock").read_bytes(), outputs(project))


def outputs(project: Project) -> dict[str, str]:
    """Digests of all that the stages made."""
    return {name: digest for name, digest in project.contents().items() if name.startswith(("data/", "metrics/"))}


def run_with(project: Project, command: Sequence[str], fault: str, at: int) -> tuple[int, str]:
    """The command with one fault: how it ended, and what it said."""
    environment = {
        **ENVIRONMENT,
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


@pytest.mark.parametrize("part", PARTS)
def test_a_run_after_a_fault_ends_as_one_without(part: str, whole: Whole, tmp_path: Path) -> None:
    command = PARTS[part][0]
    counted = whole.before[part].copy(tmp_path / "counted/project")
    assert run_with(counted, command, "none", 0)[0] == 0
    steps = steps_of(counted)
    places = range(1, len(steps) + 1)
    in_store = [place for place in places if any(name in steps[place - 1] for name in STORE)]
    opened = [place for place in places if steps[place - 1].startswith("open ")]
    count = EVERY // len(PARTS)
    chosen = [("kill", at) for at in evenly(in_store, count)] if part == "extract-features" else []
    for fault, share in SHARES.items():
        chosen += [(fault, at) for at in evenly(opened if fault == "torn" else places, round(count * share))]
    for number, (fault, at) in enumerate(chosen):
        project = whole.before[part].copy(tmp_path / str(number) / "project")
        ended, said = run_with(project, command, fault, at)
        where = f"{fault} at step {at} of {len(steps)}: {steps[at - 1]}\n{said}"
        assert ended == -signal.SIGKILL if fault in ("kill", "torn") else "Traceback" not in said, where
        check_next_run(project, whole, command, where)


FOLDERS = (
    "data/prepared",
    "data/features",
    "data/head",
    "metrics",
    ".dvc/cache/files",
    ".dvc/cache/onepass",
    ".dvc/tmp",
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_run_in_which_a_folder_cannot_be_written_says_so_and_the_next_one_ends_well(
    folder: str, whole: Whole, tmp_path: Path
) -> None:
    project = whole.before["prepare"].copy(tmp_path / "project")
    (project.folder / folder).mkdir(parents=True, exist_ok=True)
    environment = {
        "PYTHONPATH": str(FAULTS),
        "FAULT": "read-only",
        "FAULT_AT": "0",
        "FAULT_UNDER": f"{project.folder.resolve()}/{folder}",
        "FAULT_LOG": str(tmp_path / "steps.log"),
    }
    said = project.run("dvc", "repro", expect=None, environment=environment)
    assert steps_of(project)
    assert "Traceback" not in said
    assert "can only be read" in said or "Read-only file system" in said, said
    check_next_run(project, whole, ["dvc", "repro"], said)


def check_next_run(project: Project, whole: Whole, command: Sequence[str], where: str) -> None:
    """What the README's command does next gives the bytes of a run without a fault."""
    project.run("python", "-m", "onepass", "check")
    try:
        project.run(*command)
        project.run("dvc", "repro")
    except AssertionError as error:
        raise AssertionError(f"after {where}") from error
    assert (project.folder / "dvc.lock").read_bytes() == whole.lock, where
    assert outputs(project) == whole.outputs, where
    if command[1] == "push":
        project.run("rm", "-rf", ".dvc/cache", "data/features", "data/head", "data/prepared", "data/model.keras")
        project.run("dvc", "pull")
        assert outputs(project) == whole.outputs, where
