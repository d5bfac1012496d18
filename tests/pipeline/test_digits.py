"""The embedded default: `make run` as the README promises it."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.builders import new_project

pytestmark = pytest.mark.slow


def test_the_digits_run_offline_and_reach_their_accuracy_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    offline = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    output = project.run("dvc", "repro", "dvc.yaml", "data/dvc.yaml", environment=offline)
    assert "896 images, 5 classes, 0 quarantined" in output
    assert "896 images: 0 reused, 896 computed" in output
    metrics = json.loads((project.folder / "metrics" / "metrics.json").read_text())
    assert metrics["accuracy"] >= 0.96
    assert metrics["split"] == "test"
    assert not metrics["chose_the_epoch"]
    assert json.loads((project.folder / "metrics" / "findings.json").read_text()) == []
    assert "Running stage" not in project.run("dvc", "repro", "dvc.yaml", "data/dvc.yaml")
    assert project.run("git", "status", "--porcelain", "--untracked-files=all") == "?? data/dvc.lock\n?? dvc.lock\n"
    # All that DVC draws is there.
    project.run("dvc", "plots", "show", "--out", "plots")
    drawn = (project.folder / "plots" / "index.html").read_text()
    assert all(name in drawn for name in ("Loss by epoch", "Accuracy by epoch", "Confusion", "Reliability"))


@pytest.mark.more
def test_two_clones_one_of_them_on_one_busy_core_have_the_same_lock(tmp_path: Path) -> None:
    projects = [new_project(tmp_path / name / "project") for name in ("first", "second")]
    repro = ["dvc", "repro", "dvc.yaml", "data/dvc.yaml"]
    with ThreadPoolExecutor() as threads:
        first = threads.submit(projects[0].run, *repro)
        one_core = str(min(os.sched_getaffinity(0)))
        second = threads.submit(projects[1].run, "taskset", "--cpu-list", one_core, *repro)
        first.result()
        second.result()
    for lock in ("dvc.lock", "data/dvc.lock"):
        assert (projects[0].folder / lock).read_bytes() == (projects[1].folder / lock).read_bytes()
