"""`best` goes from photos to one model: by cross-validation, with one look at the photos that judge it."""

import csv
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.builders import ENVIRONMENT, Project, write_photos

pytestmark = [pytest.mark.slow, pytest.mark.more]


@pytest.fixture(scope="module")
def searched(settled_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a finished search among the cuts of the tiny network, and what was said."""
    project = settled_project.copy(tmp_path_factory.mktemp("best") / "project")
    (project.folder.parent / "said.txt").write_text(search(project))
    return project


def search(project: Project, *arguments: str, expect: int | None = 0) -> str:
    return project.run("python", "-m", "onepass", "best", *arguments, expect=expect)


def started(project: Project) -> subprocess.Popen[str]:
    """A search in a process group of its own, to be read and to be killed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in a shell's background ignore it, and pass that on
    return subprocess.Popen(
        ["python", "-m", "onepass", "best"],
        cwd=project.folder,
        env={**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site")},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def experiments(project: Project) -> set[str]:
    return set(project.run("dvc", "exp", "list", "--name-only").split())


def choice(project: Project) -> str:
    """The params of the result, as they stand in git."""
    (revision,) = project.run("git", "for-each-ref", "--format=%(objectname)", "refs/exps/*/*/best").split()
    return project.run("git", "show", f"{revision}:params.yaml")


def shown(project: Project) -> dict[str, dict[str, str]]:
    return {row["Experiment"]: row for row in csv.DictReader(project.run("dvc", "exp", "show", "--csv").splitlines())}


def test_only_the_result_has_looked_at_the_test(searched: Project) -> None:
    rows = shown(searched)
    tried = experiments(searched) - {"best"}
    assert len(tried) >= 3
    nothing = "!"
    assert all(float(rows[name]["probe.accuracy"]) > 0 and rows[name]["accuracy"] == nothing for name in tried)
    assert float(rows["best"]["accuracy"]) > 0
    assert rows["best"]["probe.accuracy"] == nothing


def test_the_choice_is_the_best_in_cross_validation(searched: Project) -> None:
    rows = shown(searched)
    tried = sorted(experiments(searched) - {"best"})
    best = max(tried, key=lambda name: (float(rows[name]["probe.accuracy"]), -float(rows[name]["probe.log_loss"])))
    columns = ["backbone.layer", "backbone.pooling", "backbone.preprocess", "head.kind"]
    assert [rows["best"][column] for column in columns] == [rows[best][column] for column in columns]


def test_model_report_and_comparison_are_there(searched: Project) -> None:
    said = (searched.folder.parent / "said.txt").read_text()
    assert re.search(r"accuracy [01]\.\d+ .* test images, which had no say in the choice", said)
    assert "The model is data/model.keras, the report metrics/report.html; params.yaml has the params." in said
    for name in ("data/model.keras", "metrics/report.html"):
        assert (searched.folder / name).is_file()
    page = (searched.folder / "metrics/comparison.html").read_text()
    assert all(name in page for name in experiments(searched))
    assert searched.repro() == []
    assert "cross-validation images" in searched.run("python", "-m", "onepass", "compare")


def test_run_again_it_knows_everything(searched: Project, tmp_path: Path) -> None:
    project = searched.copy(tmp_path / "project")
    before = choice(project)
    said = search(project)
    assert said.count(", known already") == len(experiments(project)) - 1
    assert "was judged by such photos before" not in said
    assert choice(project) == before


def test_killed_three_times_it_ends_with_the_same_choice(
    settled_project: Project, searched: Project, tmp_path: Path
) -> None:
    project = settled_project.copy(tmp_path / "project")
    for number in range(3):
        with started(project) as process:
            assert process.stdout is not None
            assert any(line.startswith(f"{number + 1} of at most") for line in process.stdout)
            time.sleep(4)  # in the middle of the experiment
            os.killpg(process.pid, signal.SIGKILL)
    assert "known already" in search(project)
    assert choice(project) == choice(searched)
    assert experiments(project) == experiments(searched)


def test_interrupted_it_takes_the_best_so_far_and_goes_on_later(settled: Project) -> None:
    with started(settled) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("2 of at most"):
                os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does, to all of the group
        said = "".join(lines)
    assert process.returncode == 0, said
    assert "stopped: the best so far is taken" in said
    assert (settled.folder / "data/model.keras").is_file()
    assert len(experiments(settled)) == 2
    assert "not tried for want of time" not in search(settled)
    assert len(experiments(settled)) > 3


def test_changes_of_the_user_are_not_touched(searched: Project, tmp_path: Path) -> None:
    project = searched.copy(tmp_path / "project")
    project.run("git", "checkout", "--quiet", "params.yaml")
    project.set({"train.learning_rate": 0.5})
    before = (project.folder / "params.yaml").read_bytes()
    assert "The workspace has changes of yours and stays as it is; `dvc exp apply best`" in search(project)
    assert (project.folder / "params.yaml").read_bytes() == before


def test_a_result_on_other_photos_is_not_replaced(searched: Project, tmp_path: Path) -> None:
    project = searched.copy(tmp_path / "project")
    write_photos(tmp_path / "other", {"cats": 30, "dogs": 30}, seed=4)
    said = search(project, "--photos", str(tmp_path / "other"), "--name", "best", expect=2)
    assert "best is an experiment with the photos of" in said
    assert experiments(project) == experiments(searched)
    assert "best-other: accuracy" in search(project, "--photos", str(tmp_path / "other"), "--budget", "1s")
    assert experiments(project) - experiments(searched) == {"best-other", "best-other-tiny-late-none-logistic"}
    assert choice(project) == choice(searched)


def test_photos_that_cannot_be_used_are_told_once(settled: Project, tmp_path: Path) -> None:
    write_photos(tmp_path / "one", {"cats": 9})
    write_photos(tmp_path / "few", {"cats": 30, "dogs": 4})
    for folder, complaint in (("one", "expected at least two classes"), ("few", "dogs")):
        said = search(settled, "--photos", str(tmp_path / folder), expect=2)
        assert "these photos cannot be used:" in said
        assert complaint in said
        assert said.count(" of at most ") == 1


def test_what_cannot_be_used_is_told_before_any_work(settled: Project) -> None:
    for arguments, complaint in (
        (["--photos", "nowhere"], "--photos: nowhere does not exist"),
        (
            ["-S", "head.kind=mlp"],
            "-S head.kind: allowed here are keys of data and split, once and with",
        ),
        (["--budget", "soon"], "'soon' given; allowed: a number with s, m or h, such as 90s, 10m or 2h"),
        (["--backbone", "none.keras"], "none.keras does not exist"),
        (["--name", "a b"], "'a b' is no name that git takes"),
    ):
        assert complaint in " ".join(search(settled, *arguments, expect=2).split())
    assert experiments(settled) == set()
