"""An experiment of `try` is the last commit with exactly these changes, and leaves the workspace as it is."""

import csv
import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from onepass.comparison import Experiments
from tests.builders import ENVIRONMENT, Project, with_own_photos, write_photos

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def committed_project(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 photos with a logistic head, everything run and committed; nothing of data/dvc.yaml is in use."""
    project = with_own_photos(pixel_project, tmp_path_factory.mktemp("tried"))
    project.run("git", "rm", "--quiet", "data/dvc.yaml")
    project.set({"head.kind": "logistic"})
    project.repro()
    project.commit()
    return project


@pytest.fixture
def project(committed_project: Project, tmp_path: Path) -> Project:
    """A copy, in which people have left something lying about."""
    project = committed_project.copy(tmp_path / "project")
    project.set({"head.pooling": "avg"})
    (project.folder / "staged.txt").write_text("staged")
    project.run("git", "add", "staged.txt")
    (project.folder / "loose.txt").write_text("loose")
    return project


def attempt(project: Project, *arguments: str, expect: int | None = 0) -> str:
    return project.run("python", "-m", "onepass", "try", *arguments, expect=expect)


def contents(project: Project) -> dict[str, str]:
    """A digest of each file that is a person's to see."""
    hidden = (".git", ".dvc/tmp", ".dvc/cache")
    return {
        str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.folder.rglob("*")
        if path.is_file()
        and not str(path.relative_to(project.folder)).startswith(hidden)
        and "__pycache__" not in path.parts
    }


def shown(project: Project) -> dict[str, dict[str, str]]:
    """What `dvc exp show` says, by the name of the experiment."""
    return {row["Experiment"]: row for row in csv.DictReader(project.run("dvc", "exp", "show", "--csv").splitlines())}


def test_the_workspace_stays_as_it_is_whether_it_works_or_not(project: Project) -> None:
    (project.folder.parent / "one").mkdir()
    write_photos(project.folder.parent / "one", {"cats": 3})
    before, status = contents(project), project.run("git", "status", "--porcelain")
    attempt(project, "balanced", "-S", "train.class_weights=balanced")
    assert contents(project) == before
    attempt(project, "broken", "--photos", str(project.folder.parent / "one"), expect=1)
    assert contents(project) == before
    assert project.run("git", "status", "--porcelain") == status
    assert {"balanced"} == shown(project).keys() & {"balanced", "broken"}


def test_each_starts_from_the_commit_and_from_no_other(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt(project, "first", "-S", "train.class_weights=balanced")
    output = attempt(project, "second", "-S", "train.seed=3")
    assert "extract-features" not in [line.split("'")[1] for line in output.splitlines() if line.startswith("Running")]
    monkeypatch.chdir(project.folder)
    experiments = Experiments()
    first, second = (experiments.read(name).params for name in ("first", "second"))
    assert first["head.pooling"] == second["head.pooling"] == "none"  # and not avg, as in the workspace
    assert (first["train.class_weights"], first["train.seed"]) == ("balanced", 0)
    assert (second["train.class_weights"], second["train.seed"]) == ("none", 3)
    assert shown(project)["second"]["train.seed"] == "3"


def test_features_are_linked_and_not_copied(project: Project) -> None:
    attempt(project, "linked", "-S", "train.seed=1")
    parts = list((project.folder / ".dvc/tmp/onepass/trials/0/data/features").glob("*.npy"))
    assert len(parts) > 10
    assert all(part.is_symlink() or part.stat().st_nlink > 1 for part in parts)


def test_a_taken_name_is_refused_and_again_replaces_it_once_the_new_one_is_there(project: Project) -> None:
    attempt(project, "mine", "-S", "train.seed=1")
    refused = attempt(project, "mine", "-S", "train.seed=2", expect=2)
    assert "mine: there is an experiment of this name. Give another name, or --again to replace it." in refused
    assert "Running stage" not in refused
    attempt(project, "mine", "--again", "-S", "train.seed=2")
    assert shown(project)["mine"]["train.seed"] == "2"
    (project.folder.parent / "none").mkdir()
    attempt(project, "mine", "--again", "--photos", str(project.folder.parent / "none"), expect=1)
    assert shown(project)["mine"]["train.seed"] == "2"
    assert "mine-again" not in shown(project)


def test_what_was_tried_can_be_applied(project: Project) -> None:
    attempt(project, "applied", "-S", "train.seed=4")
    project.run("git", "reset", "--quiet", "--hard")
    project.run("dvc", "exp", "apply", "applied")
    assert "seed: 4" in (project.folder / "params.yaml").read_text()
    assert project.repro() == []


@pytest.mark.more
def test_photos_of_any_name_make_a_grid_two_at_a_time(project: Project) -> None:
    photos = project.folder.parent / "fotos, zwei (Ümläute)"
    write_photos(photos, {"cats": 20, "dogs": 20}, seed=5)
    attempt(project, "pair", "--photos", str(photos), "-S", "train.seed=5,6", "--jobs", "2")
    assert [shown(project)[f"pair-{number}"]["train.seed"] for number in (1, 2)] == ["5", "6"]


@pytest.mark.more
def test_a_killed_one_leaves_the_workspace_and_the_next_one_works(project: Project) -> None:
    before = contents(project)
    environment = {**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site")}
    command = ["python", "-m", "onepass", "try", "killed", "-S", "split.seed=3"]
    process = subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(4)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert contents(project) == before
    attempt(project, "alive", "-S", "split.seed=3")
    assert contents(project) == before
    assert "alive" in shown(project)
