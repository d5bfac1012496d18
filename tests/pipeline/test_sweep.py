"""Several experiments of one `try` share a process, and each is what it is alone."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.builders import ENVIRONMENT, Project, stages_run

pytestmark = pytest.mark.slow
KINDS = "head.kind=logistic,mlp"


@pytest.fixture
def project(pixels_done: Project, tmp_path: Path) -> Project:
    return pixels_done.copy(tmp_path / "project")


def attempt(project: Project, *arguments: str, expect: int = 0) -> str:
    return project.run("python", "-m", "onepass", "try", *arguments, expect=expect)


def made(project: Project, name: str) -> str:
    """Everything that an experiment changes against the last commit: params, and digests of all outputs."""
    ref = project.run("git", "for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").strip()
    assert ref, f"no experiment {name}"
    return project.run("git", "diff", "HEAD", ref)


@pytest.mark.more
def test_each_is_what_it_is_alone_and_repro_with_its_params_computes_nothing(project: Project, tmp_path: Path) -> None:
    alone = project.copy(tmp_path / "alone")
    before = project.contents()
    output = attempt(project, "sweep", "-S", KINDS, "-S", "train.seed=1,2")
    assert stages_run(output) == ["train-head", "evaluate", "report"] * 4  # and not extract-features
    assert project.contents() == before
    attempt(alone, "logistic", "-S", "head.kind=logistic", "-S", "train.seed=2")
    attempt(alone, "mlp", "-S", "head.kind=mlp", "-S", "train.seed=2")
    assert made(project, "sweep-2") == made(alone, "logistic")
    assert made(project, "sweep-4") == made(alone, "mlp")
    alone.set({"head.kind": "mlp", "train.seed": 1})
    alone.repro()
    project.set({"head.kind": "mlp", "train.seed": 1})
    assert project.repro() == []
    for file in ("dvc.lock", "metrics/metrics.json", "data/model.keras"):
        assert (project.folder / file).read_bytes() == (alone.folder / file).read_bytes()


@pytest.mark.more
def test_one_that_fails_takes_none_of_the_others_with_it_whatever_they_change(project: Project, tmp_path: Path) -> None:
    alone = project.copy(tmp_path / "alone")
    before = project.contents()
    output = attempt(
        project, "mixed", "-S", "split.validation_fraction=0.25,0.000001,0.3", "-S", "backbone.image_side=8,9", expect=1
    )
    assert project.contents() == before
    assert "failed: mixed-3, mixed-4" in output
    assert output.count("failed to reproduce 'prepare'") == 2
    names = project.run("dvc", "exp", "list", "--name-only").split()
    assert sorted(names) == ["mixed-1", "mixed-2", "mixed-5", "mixed-6"]
    attempt(alone, "alone", "-S", "split.validation_fraction=0.3", "-S", "backbone.image_side=9")
    assert made(project, "mixed-6") == made(alone, "alone")


@pytest.mark.more
def test_two_at_a_time_are_what_they_are_one_after_another(project: Project, tmp_path: Path) -> None:
    alone = project.copy(tmp_path / "alone")
    output = attempt(project, "pair", "-S", KINDS, "-S", "train.seed=1,2", "--jobs", "2")
    attempt(alone, "pair", "-S", KINDS, "-S", "train.seed=1,2", "--jobs", "1")
    assert all(f"pair-{number}: done" in output for number in range(1, 5))
    for number in range(1, 5):
        assert made(project, f"pair-{number}") == made(alone, f"pair-{number}")


def test_an_interrupt_keeps_what_is_done_and_the_workspace(project: Project) -> None:
    before = project.contents()
    environment = {**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site")}
    command = ["python", "-m", "onepass", "try", "sweep", "-S", "head.kind=logistic", "-S", "train.seed=1,2,3,4,5,6"]
    command += ["--jobs", "1"]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in a shell's background ignore it, and pass that on
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "`dvc exp apply sweep-1`" in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        rest = process.stdout.read()
    assert process.returncode == 1
    assert "stopped; not done: sweep-" in rest
    assert rest.splitlines()[-1].endswith("sweep-6")
    assert project.contents() == before
    names = project.run("dvc", "exp", "list", "--name-only").split()
    assert "sweep-1" in names
    assert "sweep-6" not in names
    attempt(project, "next", "-S", "train.seed=7")
