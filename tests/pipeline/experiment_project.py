"""A tiny repository whose one stage answers as well as its params say: real `dvc exp run`, no training."""

from pathlib import Path

import pytest
from dvc.cli import main as dvc

from tests.builders import ENVIRONMENT, Project

ODD = "$odd|%s-é"  # a name that git allows
DVC_YAML = """\
stages:
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py]
    params: [model.skill, data.first, data.relabelled, data.split, train.seed, split.seed]
    outs: [metrics/predictions.csv, data/head, data/features, data/prepared/wanted_views.txt,
      data/prepared/splits.csv]
    metrics: [metrics/metrics.json]
"""
PARAMS_YAML = """\
model: {skill: 0.5}
data: {first: 0, relabelled: 0, split: test}
train: {seed: 0}
split: {seed: 0}
"""
# Which images are easy is the same for all skills, as it is for real classifiers.
EVALUATE = """\
import csv, json, math, random, yaml
from pathlib import Path

params = yaml.safe_load(Path("params.yaml").read_text())
data, skill = params["data"], params["model"]["skill"]
rows = []
for number in range(data["first"], data["first"] + 200):
    label = ["$cats$", "dogs, or\\nnot"][(number + (number < data["relabelled"])) % 2]
    easy = random.Random(number).random()
    right = easy + random.Random(f"{number} {params['train']['seed']} {skill}").gauss(0, 0.05) < skill
    predicted = label if right else "neither"
    rows.append([f"{number:064x}", f"{number}.png", data["split"], label, predicted, 0.5, 0.5])
rows.append(["f" * 64, "training.png", "train", "$cats$", "neither", 0.5, 0.5])
for folder in ("metrics", "data/head", "data/features", "data/prepared"):
    Path(folder).mkdir(parents=True, exist_ok=True)
Path("data/prepared/splits.csv").write_text(str(sorted(data.items())))
with open("metrics/predictions.csv", "w", newline="") as file:
    csv.writer(file).writerows([["hash", "file", "split", "label", "predicted", "p_$cats$", "p_neither"], *rows])
correct = sum(row[3] == row[4] for row in rows[:-1])
metrics = {
    "accuracy": correct / 200,
    "accuracy_low": correct / 250,
    "accuracy_high": correct / 200,
    "log_loss": -math.log(skill),
    "roc_auc": skill,
    "expected_calibration_error": 0.1,
    "images": 200,
    "correct": correct,
    "split": data["split"],
    "chose_the_epoch": data["split"] == "validation",
    "best_epoch": 3,
    "epochs": 5,
}
Path("metrics/metrics.json").write_text(json.dumps(metrics))
Path("data/head/head.json").write_text(json.dumps({"trained_parameters": 1234} if skill > 0.6 else {}))
Path("data/head/weights.npz").write_text(str(params))
Path("data/features/fingerprint.json").write_text("{}")
Path("data/prepared/wanted_views.txt").write_text("\\n".join(row[0] for row in rows))
"""


def make(folder: Path) -> Project:
    """The repository, with nothing run in it."""
    folder.mkdir(parents=True)
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "params.yaml").write_text(PARAMS_YAML)
    (folder / "evaluate.py").write_text(EVALUATE)
    (folder / ".gitignore").write_text("/data\n/metrics\n")
    project = Project(folder)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("dvc", "init", "--quiet")
    project.run("dvc", "config", "core.analytics", "false")
    project.commit()
    return project


def enter(project: Project, patch: pytest.MonkeyPatch) -> None:
    """Makes the project the current directory of this process, so that DVC need not be imported for each command."""
    patch.chdir(project.folder)
    for name in ENVIRONMENT:
        patch.setenv(name, ENVIRONMENT[name])
    patch.setenv("DVC_SITE_CACHE_DIR", str(project.folder.parent / "site"))


def run(name: str, *settings: str) -> None:
    """``dvc exp run --name NAME -S model.skill=0.9`` in the current directory."""
    sets = [f"--set-param={setting}" for setting in settings]
    assert dvc(["exp", "run", "--quiet", "--name", name, *sets]) == 0


def with_experiments(folder: Path) -> Project:
    """Experiments of an earlier commit, evaluated otherwise; then those of HEAD, the workspace as the last left it."""
    project = make(folder)
    with pytest.MonkeyPatch.context() as patch:
        enter(project, patch)
        run("elsewhere", "data.first=40")
        run("relabelled", "data.first=0", "data.relabelled=3")
        run("validated", "data.relabelled=0", "data.split=validation")
        project.commit()
        run("poor", "data.split=test", "model.skill=0.55")
        for seed in (2, 0, 1):
            run(f"good-{seed}", "model.skill=0.9", f"train.seed={seed}")
        run("fair", "model.skill=0.88", "train.seed=0")
        run(ODD, "model.skill=0.7")
    return project
