"""Which stages run after which change: the promise of the whole project, with real DVC."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from onepass.cli.compare import command as compare
from tests.builders import Project, stages_run

ALL = ["prepare", "weights", "extract-features", "train-head", "evaluate", "report"]
NOT_FEATURES = ["prepare", "train-head", "evaluate", "report"]

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(settled_project: Project) -> Path:
    """The photos that ``settled`` was run on; tests that change some copy them first."""
    return settled_project.folder.parent / "photos"


def test_nothing_changed_runs_no_stage(settled: Project) -> None:
    assert settled.repro() == []


def test_a_head_param_runs_training_and_evaluation(settled: Project) -> None:
    settled.set({"head.hidden_units": 8})
    assert settled.repro() == ["train-head", "evaluate", "report"]


def test_a_split_seed_runs_no_extraction(settled: Project) -> None:
    settled.set({"split.seed": 1})
    assert settled.repro() == NOT_FEATURES


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("stages/evaluate.py", ["evaluate"]),
        ("onepass/heads/kinds/mlp.py", ["train-head", "evaluate"]),
        ("onepass/evaluation/findings/learning.py", ["evaluate"]),
        ("onepass/report/pages/style.css", ["report"]),
        ("onepass/cli/compare.py", []),
    ],
)
def test_a_comment_runs_the_stages_that_use_the_code(settled: Project, file: str, stages: list[str]) -> None:
    path = settled.folder / file
    path.write_text(path.read_text() + ("/* a comment */\n" if file.endswith(".css") else "# a comment\n"))
    # The report depends on all that evaluate depends on, but what it reads is the same again.
    assert [stage for stage in settled.repro() if stage != "report" or stages == ["report"]] == stages


def test_no_change_of_code_fetches_weights_again(settled: Project) -> None:
    settled.run("dvc", "repro", "data/dvc.yaml:imagenet")
    for file in ("onepass/core/errors.py", "onepass/params/sections.py", "onepass/backbones/legacy_weights.py"):
        path = settled.folder / file
        path.write_text(path.read_text() + "# a comment\n")
    assert "Running stage" not in settled.run("dvc", "repro", "data/dvc.yaml:imagenet")


def test_the_report_shows_the_params_of_this_run(settled: Project) -> None:
    page = settled.folder / "metrics" / "report.html"
    assert "<dd>0.001</dd>" in page.read_text()
    settled.set({"train.learning_rate": 0.002})
    settled.repro()
    assert "<dd>0.002</dd>" in page.read_text()
    assert "<dd>0.001</dd>" not in page.read_text()


def test_an_applied_experiment_brings_its_page(settled: Project) -> None:
    settled.run("git", "rm", "--quiet", "data/dvc.yaml")  # what it makes is not in use, and DVC would miss it
    settled.commit()
    page = settled.folder / "metrics" / "report.html"
    settled.run("dvc", "exp", "run", "--name", "first", "--set-param", "head.hidden_units=7")
    first = page.read_bytes()
    settled.run("dvc", "exp", "run", "--name", "second", "--set-param", "head.hidden_units=9")
    assert page.read_bytes() != first
    settled.run("dvc", "exp", "apply", "first")
    assert page.read_bytes() == first


def test_who_pulls_a_page_sees_photos_that_they_do_not_have(settled: Project, tmp_path: Path) -> None:
    settled.run("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    settled.commit()
    settled.run("dvc", "push")
    colleague = Project(tmp_path / "colleague")
    settled.run("git", "clone", "--quiet", ".", str(colleague.folder))
    colleague.set({"data.root": str(tmp_path / "no photos here")})
    colleague.run("dvc", "pull", "metrics/report.html")
    page = (colleague.folder / "metrics" / "report.html").read_text()
    assert page.count("data:image/webp;base64,") > 10
    assert "Photo not shown" not in page


def test_a_mistake_in_the_head_is_found_before_photos_are_opened(settled: Project) -> None:
    settled.set({"split.seed": 1, "head.dropout": 2})
    output = settled.run("dvc", "repro", expect=None)
    assert "head.dropout: 2 given" in output
    assert "images, " not in output  # prepare has not spoken


def test_params_without_a_key_that_has_a_default_keep_working(settled: Project) -> None:
    path = settled.folder / "params.yaml"
    shorter = [line for line in path.read_text().splitlines() if not line.startswith(("  patience:", "  monitor:"))]
    path.write_text("\n".join(shorter) + "\n")
    assert settled.repro() == ["train-head", *ALL[4:]]  # DVC sees other params; what comes out is the same
    settled.set({"head.kind": "logistic"})
    assert settled.repro() == ["train-head", "evaluate", "report"]


def test_the_same_weights_under_another_name_compute_nothing(
    settled: Project, settled_project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "öther näme.keras"
    shutil.copy(settled_project.folder.parent / "tiny.keras", path)
    settled.set({"backbone.weights": str(path)})
    output = settled.run("dvc", "repro")
    assert stages_run(output) == ALL[1:]
    assert "60 images: 60 reused, 0 computed" in output


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
    assert settled.repro() == ALL[2:]
    settled.set({"backbone.layer": "late"})
    assert settled.repro() == []


@pytest.mark.more
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
    compare.main(["workspace", "HEAD"], standalone_mode=False)
    metrics = json.loads((settled.folder / "metrics" / "metrics.json").read_text())
    accuracy, low, high = (f"{metrics[key]:.4f}" for key in ("accuracy", "accuracy_low", "accuracy_high"))
    assert f"| HEAD = workspace | {accuracy}     | {low} to {high} | 1 " in capsys.readouterr().out
