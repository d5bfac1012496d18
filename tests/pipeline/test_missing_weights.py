"""A weights file that is not on this machine is told before anything that was made with it is lost."""

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.builders import Project, stages_run

pytestmark = pytest.mark.slow
MADE = ("data/features", "data/head", "data/model.keras", "data/prepared", "metrics")


def contents(project: Project) -> dict[str, str]:
    """A digest of each file that the stages made, but for that of the weights."""
    paths = [path for made in MADE for path in (project.folder / made, *(project.folder / made).rglob("*"))]
    return {
        str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file()
    }


@pytest.fixture
def colleague(settled: Project, tiny_backbone: Path, tmp_path: Path) -> Project:
    """A clone with all data pulled, on a machine that lacks the weights; they are at ``tmp_path``/away.keras."""
    weights = tmp_path / "home" / "tiny.keras"
    weights.parent.mkdir()
    shutil.copy(tiny_backbone, weights)
    settled.set({"backbone.weights": str(weights)})
    settled.repro()
    settled.run("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    settled.run("git", "rm", "--quiet", "data/dvc.yaml")  # what it makes is not in use, and DVC would miss it
    settled.commit()
    settled.run("dvc", "push", "--quiet")
    settled.run("git", "clone", "--quiet", ".", str(tmp_path / "colleague"))
    weights.rename(tmp_path / "away.keras")
    clone = Project(tmp_path / "colleague")
    clone.run("dvc", "pull", "--quiet")
    return clone


def test_repro_stops_at_the_stage_that_only_looks_at_the_file_and_deletes_nothing(colleague: Project) -> None:
    before = contents(colleague)
    assert len(before) > 20
    colleague.set({"head.hidden_units": 8})
    output = colleague.run("dvc", "repro", expect=None)
    assert "failed to reproduce 'weights'" in output and "home/tiny.keras" in output
    assert stages_run(output) == []
    assert contents(colleague) == before
    output = " ".join(colleague.run("python", "-m", "onepass", "check").split())
    assert "home/tiny.keras does not exist on this machine" in output and "weights add FILE" in output


def test_a_head_that_cannot_be_trained_costs_no_features_and_what_was_deleted_comes_back(colleague: Project) -> None:
    before = contents(colleague)
    command = ["dvc", "exp", "run", "--pull", "--allow-missing", "-S", "head.hidden_units=8"]
    output = colleague.run(*command, expect=255)
    assert "failed to reproduce 'train-head'" in output and "home/tiny.keras' does not exist" in output
    assert stages_run(output) == []
    after = contents(colleague)
    assert {name for name in before if name.startswith("data/features")} < after.keys()
    colleague.run("dvc", "checkout")
    assert contents(colleague) == before


def test_a_copy_of_the_same_file_elsewhere_computes_nothing(colleague: Project) -> None:
    colleague.set({"backbone.weights": str(colleague.folder.parent / "away.keras"), "head.hidden_units": 8})
    assert "60 images: 60 reused, 0 computed" in colleague.run("dvc", "repro")
