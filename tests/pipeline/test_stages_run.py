"""Which stages run after which change: the promise of the whole project, with real DVC."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from onepass.cli.compare import command as compare
from tests.builders import Project

ALL = ["prepare", "extract-features", "train-head", "evaluate"]
NOT_FEATURES = ["prepare", "train-head", "evaluate"]

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(settled_project: Project) -> Path:
    """The photos that ``settled`` was run on; tests that change some copy them first."""
    return settled_project.folder.parent / "photos"


def test_nothing_changed_runs_no_stage(settled: Project) -> None:
    assert settled.repro() == []


def test_a_head_param_runs_training_and_evaluation(settled: Project) -> None:
    settled.set({"head.hidden_units": 8})
    assert settled.repro() == ["train-head", "evaluate"]


def test_a_split_seed_runs_no_extraction(settled: Project) -> None:
    settled.set({"split.seed": 1})
    assert settled.repro() == NOT_FEATURES


def test_a_comment_in_evaluate_runs_evaluate_only(settled: Project) -> None:
    script = settled.folder / "stages" / "evaluate.py"
    script.write_text(script.read_text() + "# a comment\n")
    assert settled.repro() == ["evaluate"]


def test_moving_the_photos_elsewhere_runs_prepare_only(settled: Project, photos: Path, tmp_path: Path) -> None:
    settled.set({"data.root": str(shutil.copytree(photos, tmp_path / "elsewhere"))})
    assert settled.repro() == ["prepare"]


def test_a_relabel_by_moving_a_file_runs_no_extraction(settled: Project, photos: Path, tmp_path: Path) -> None:
    own = shutil.copytree(photos, tmp_path / "own")
    settled.set({"data.root": str(own)})
    settled.repro()
    cat = min((own / "cats").iterdir())
    cat.rename(own / "dogs" / cat.name)
    assert settled.repro() == NOT_FEATURES


def test_another_layer_extracts_again_and_back_again_nothing_is_computed(settled: Project) -> None:
    settled.set({"backbone.layer": "early"})
    assert settled.repro() == ALL[1:]
    settled.set({"backbone.layer": "late"})
    assert settled.repro() == []


def test_experiments_run_in_the_workspace_in_a_temporary_one_and_in_a_queue(settled: Project) -> None:
    settled.run("dvc", "exp", "run", "--name", "here", "--set-param", "train.learning_rate=0.01")
    settled.run("dvc", "exp", "run", "--temp", "--name", "there", "--set-param", "train.learning_rate=0.02")
    settled.run("dvc", "exp", "run", "--queue", "--name", "queued", "--set-param", "train.learning_rate=1e-05")
    settled.run_queue(workers=1)
    rows = csv.DictReader(settled.run("dvc", "exp", "show", "--csv").splitlines())
    shown = {row["train.learning_rate"] for row in rows if row["accuracy"]}
    assert {"0.01", "0.02", "1e-05"} <= shown


def test_what_the_stages_write_is_what_compare_reads(
    settled: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(settled.folder)
    compare(["workspace", "HEAD"])
    metrics = json.loads((settled.folder / "metrics" / "metrics.json").read_text())
    accuracy, low, high = (f"{metrics[key]:.4f}" for key in ("accuracy", "accuracy_low", "accuracy_high"))
    assert f"| workspace = HEAD | {accuracy}     | {low} to {high} | 1 " in capsys.readouterr().out
