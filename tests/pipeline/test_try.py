"""An experiment of `try` is the last commit with exactly these changes, and leaves the workspace as it is."""

import csv
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from onepass.comparison import Experiments
from tests.builders import ENVIRONMENT, Project, stages_run, write_photos

pytestmark = pytest.mark.slow


@pytest.fixture
def project(pixels_done: Project, tmp_path: Path) -> Project:
    """A copy, in which people have left something lying about."""
    project = pixels_done.copy(tmp_path / "project")
    project.set({"head.pooling": "avg"})
    (project.folder / "staged.txt").write_text("staged")
    project.run("git", "add", "staged.txt")
    (project.folder / "loose.txt").write_text("loose")
    return project


def attempt(project: Project, *arguments: str, expect: int | None = 0) -> str:
    return project.run("python", "-m", "onepass", "try", *arguments, expect=expect)


def shown(project: Project) -> dict[str, dict[str, str]]:
    """What `dvc exp show` says, by the name of the experiment."""
    return {row["Experiment"]: row for row in csv.DictReader(project.run("dvc", "exp", "show", "--csv").splitlines())}


def test_the_workspace_stays_as_it_is_whether_it_works_or_not(project: Project) -> None:
    (project.folder.parent / "one").mkdir()
    write_photos(project.folder.parent / "one", {"cats": 3})
    before, status = project.contents(), project.run("git", "status", "--porcelain")
    attempt(project, "balanced", "-S", "train.class_weights=balanced")
    assert project.contents() == before
    attempt(project, "broken", "--photos", str(project.folder.parent / "one"), expect=1)
    assert project.contents() == before
    assert project.run("git", "status", "--porcelain") == status
    assert {"balanced"} == shown(project).keys() & {"balanced", "broken"}


def test_each_starts_from_the_commit_and_from_no_other(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt(project, "first", "-S", "train.class_weights=balanced")
    output = attempt(project, "second", "-S", "train.seed=3")
    assert stages_run(output) == ["train-head", "evaluate", "report"]  # and not extract-features
    monkeypatch.chdir(project.folder)
    experiments = Experiments()
    first, second = (experiments.read(name).params for name in ("first", "second"))
    assert first["head.pooling"] == second["head.pooling"] == "none"  # and not avg, as in the workspace
    assert (first["train.class_weights"], first["train.seed"]) == ("balanced", 0)
    assert (second["train.class_weights"], second["train.seed"]) == ("none", 3)
    assert shown(project)["second"]["train.seed"] == "3"
    assert project.run("dvc", "exp", "list", "--name-only").split() == ["first", "second"]


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
    assert project.run("dvc", "exp", "list", "--name-only").split() == ["mine"]


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
def test_what_was_queued_is_the_commit_with_these_changes_whatever_the_workspace_says(project: Project) -> None:
    assert "staged.txt: changed and not committed" in attempt(project, "later", "--queue", expect=2)
    project.run("git", "reset", "--quiet", "staged.txt")
    photos = project.folder.parent / "it's (a) folder, ü"
    write_photos(photos, {"cats": 20, "dogs": 20}, seed=6)
    before = project.contents()
    attempt(project, "later", "--photos", str(photos), "-S", "train.seed=5,6", "--queue")
    assert project.contents() == before
    project.run_queue(1)
    for name, seed in (("later-1", "5"), ("later-2", "6")):
        row = shown(project)[name]
        assert (row["train.seed"], row["head.pooling"], row["data.root"]) == (seed, "none", str(photos))


@pytest.mark.more
@pytest.mark.parametrize("all_of_it", [True, False], ids=["all of it", "without its DVC"])
def test_a_killed_one_leaves_the_workspace_and_the_next_one_works(project: Project, all_of_it: bool) -> None:
    before = project.contents()
    environment = {**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site")}
    command = ["python", "-m", "onepass", "try", "killed", "-S", "split.seed=3,5"]
    with subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert any("Running stage" in line for line in process.stdout)
        if all_of_it:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
            process.wait()
        assert project.contents() == before
        attempt(project, "alive", "-S", "split.seed=4")
        process.stdout.read()  # to the end of the DVC that was left alone
    assert project.contents() == before
    assert shown(project)["alive"]["split.seed"] == "4"
    assert not {"killed-1", "killed-2"} & shown(project).keys() - ({"killed-1"} if not all_of_it else set())


@pytest.mark.more
def test_photos_that_nobody_keeps_are_found_and_not_touched(project: Project) -> None:
    write_photos(project.folder / "own photos", {"cats": 20, "dogs": 20}, seed=7)
    with (project.folder / ".gitignore").open("a") as ignored:
        ignored.write("own photos\n")
    project.run("git", "commit", "--quiet", "--message", "ignored", ".gitignore")
    before = project.contents()
    attempt(project, "own", "-S", "data.root=own photos", "-S", "split.seed=1")
    assert project.contents() == before
    assert not (project.folder / ".dvc/tmp/onepass/trials/0/own photos").is_symlink()
    assert shown(project)["own"]["data.root"] == "own photos"


@pytest.mark.more
def test_what_only_a_remote_with_a_relative_path_has_is_pulled(project: Project) -> None:
    (project.folder.parent / "storage").mkdir()
    project.run("dvc", "remote", "add", "--default", "beside", "../storage")
    project.run("dvc", "push")
    shutil.rmtree(project.folder / ".dvc" / "cache")
    output = attempt(project, "pulled", "-S", "train.seed=1")
    assert stages_run(output) == ["train-head", "evaluate", "report"]


@pytest.mark.more
def test_it_works_in_a_shallow_clone_that_goes_on_and_moves(project: Project) -> None:
    project.run("git", "reset", "--quiet", "--hard")
    project.run("git", "commit", "--quiet", "--allow-empty", "--message", "deeper")
    project.run("git", "clone", "--quiet", "--depth", "1", f"file://{project.folder}", "../shallow")
    shallow = Project(project.folder.parent / "shallow")
    shutil.copytree(project.folder / ".dvc" / "cache", shallow.folder / ".dvc" / "cache")
    attempt(shallow, "here", "-S", "train.seed=1")
    shallow.run("git", "commit", "--quiet", "--allow-empty", "--message", "further")
    shallow.folder.rename(project.folder.parent / "moved")
    moved = Project(project.folder.parent / "moved")
    attempt(moved, "there", "-S", "train.seed=2")
    assert shown(moved)["there"]["train.seed"] == "2"
