"""What is typed behind `try` becomes the params of each experiment, or is refused before any work."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from onepass.core import UserError
from onepass.heads import all_head_keys
from onepass.params import BackboneParams
from onepass.trials import Trial, plan_trials, usual_jobs
from tests.builders import ENVIRONMENT, ROOT


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped params.yaml and recipes, committed; the current directory."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "state"]):
        subprocess.run(["git", *command], cwd=tmp_path, env=ENVIRONMENT, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("head.hidden_units=16", 16),
        ("head.hidden_units=[120, 60]", [120, 60]),
        ("head.dropout=0.25", 0.25),
        ("train.learning_rate=1e-05", 1e-05),
        ("train.patience=none", "none"),
        ("head.kind=linear", "linear"),
        ("backbone.layer=features", "features"),
        ("data.root=/a photo, and (more)/~Ümlaut #1", "/a photo, and (more)/~Ümlaut #1"),
    ],
)
def test_a_value_is_what_params_yaml_would_make_of_it(text: str, value: Any) -> None:
    (trial,) = plan_trials("one", [text])
    assert trial == ("one", {text.partition("=")[0]: value})


def test_several_values_make_a_grid_and_seeds_repeat_each_of_it() -> None:
    trials = plan_trials("grid", ["train.learning_rate=0.1,0.01", "head.hidden_units=8,[9,10]"], seeds=2)
    assert [trial.name for trial in trials] == [f"grid-{number}" for number in range(1, 9)]
    found = [[*trial.settings.values()] for trial in trials]
    assert found[:4] == [[0.1, 8, 0], [0.1, 8, 1], [0.1, [9, 10], 0], [0.1, [9, 10], 1]]
    assert {tuple(map(str, values)) for values in found} == {
        (rate, units, seed) for rate in ("0.1", "0.01") for units in ("8", "[9, 10]") for seed in "01"
    }


def test_a_comma_inside_brackets_is_none_between_values_and_a_name_of_digits_stays_a_name() -> None:
    layers = [trial.settings["backbone.layer"] for trial in plan_trials("l", ["backbone.layer=495, [features,last]"])]
    assert layers == ["495", ["features", "last"]]
    parts = "{scale: 1.0, mean: [0.5, 0.5, 0.5], std: [1.0, 1.0, 1.0]}"
    given = [trial.settings["backbone.preprocess"] for trial in plan_trials("p", [f"backbone.preprocess=tf,{parts}"])]
    assert given == ["tf", {"scale": 1.0, "mean": [0.5, 0.5, 0.5], "std": [1.0, 1.0, 1.0]}]


def test_a_recipe_gives_every_key_so_that_nothing_is_left_over(project: Path) -> None:
    changed = (project / "params.yaml").read_text().replace("pooling: none", "pooling: avg", 1)
    (project / "params.yaml").write_text(changed)
    subprocess.run(["git", "commit", "--all", "--quiet", "--message", "x"], cwd=project, env=ENVIRONMENT, check=True)
    (trial,) = plan_trials("cnn", ["train.epochs=3"], recipe="question-cnn")
    schemas = (BackboneParams, *all_head_keys())
    assert trial.settings.keys() == {f"{schema.section}.{key}" for schema in schemas for key in schema.model_fields}
    assert (trial.settings["backbone.pooling"], trial.settings["train.epochs"]) == ("none", 3)


def test_photos_have_an_absolute_path_unless_they_are_in_the_repository(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = project / "two words, (Ümlaut)"
    folder.mkdir()
    for given in (Path(folder.name), folder):
        (trial,) = plan_trials("mine", [], photos=given)
        assert trial.settings == {"data.root": folder.name}
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (trial,) = plan_trials("mine", [], photos=elsewhere)
    assert trial.settings == {"data.root": str(elsewhere)}
    with pytest.raises(UserError, match="--photos: nowhere does not exist"):
        plan_trials("mine", [], photos=Path("nowhere"))
    with pytest.raises(UserError, match=r"data\.root: given twice"):
        plan_trials("mine", ["data.root=elsewhere"], photos=folder)


def test_what_is_not_committed_does_not_count(project: Path) -> None:
    (project / "params.yaml").write_text("nonsense: true\n")
    assert plan_trials("one", ["head.hidden_units=16"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["head.hidden_units"], ["expected SECTION.KEY=VALUE"]),
        (["head.units=3"], ["-S head.units: unknown key, is head.hidden_units meant?; allowed: head.kind, "]),
        (["hea.kind=mlp"], ["-S hea.kind: unknown key, is head.kind meant?; allowed: data.root, "]),
        (["head.kind=forest"], ["head.kind: 'forest' given; allowed: "]),
        (
            ["head.dropout=1"],
            ["head.dropout: 1 given; allowed: a number of at least 0 and below 1, or a list of 1 to 16 of them"],
        ),
        (["head.kind=logistic", "train.learning_rate=0.1"], ["train.learning_rate: 0.1 given", "head.kind: logistic"]),
        (["head.kind=linear", "head.hidden_units=3"], ["head.hidden_units: 3 given", "head.kind: linear"]),
        (["train.batch_norm=trained"], ["train.batch_norm: trained given", "without train.unfreeze"]),
        (["train.epochs=3,-1"], ["train.epochs: -1 given"]),
        (["head.hidden_units=3", "head.hidden_units=4"], ["head.hidden_units: given twice", "separated by commas"]),
        (["data.root=/photos\udcff"], ["'data.root=/photos\\udcff' is not UTF-8"]),
        (["head.dropout=" + "[" * 5000], ["head.dropout: '[[["]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_or_would_do_nothing_is_refused_in_words(changes: list[str], words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        plan_trials("one", changes)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("name", ["", "two words", "a/b", "a..b", "a~1", "a:b", ".hidden", "x.lock", "a@{b"])
def test_a_name_that_git_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="no name that git takes"):
        plan_trials(name, [])


def test_without_a_commit_there_is_nothing_to_start_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    subprocess.run(["git", "init", "--quiet"], check=True)
    with pytest.raises(UserError, match="an experiment starts from the last commit"):
        plan_trials("one", [])


def test_heads_of_one_set_of_features_run_one_a_core_and_whatever_else_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert usual_jobs(plan_trials("grid", ["head.kind=logistic,mlp", "backbone.pooling=avg"])) == 2
    assert usual_jobs(plan_trials("grid", ["head.kind=logistic,mlp"], seeds=3)) == 4
    assert usual_jobs(plan_trials("grid", ["head.kind=logistic,mlp", "backbone.pooling=avg,max"])) == 1
    assert usual_jobs([Trial("with", {"split.seed": 1}), Trial("without", {"train.seed": 1})]) == 1
    assert usual_jobs([Trial("alone", {"train.seed": 1})]) == 1
