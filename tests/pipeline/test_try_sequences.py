"""In whatever order people try, run, fail, edit, apply and commit: a try leaves the workspace as it was, and each
experiment is shown with the params that made its predictions.
"""

import hashlib
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from onepass.comparison import IMPLIED, Experiment, Experiments, compared, ranked
from onepass.core import UserError
from onepass.trials import complete_settings
from tests.builders import Project
from tests.pipeline.experiment_project import enter

pytestmark = [pytest.mark.more, pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")]  # inside DVC

SEQUENCES = int(os.environ.get("ONEPASS_SEQUENCES", "12"))
NAMES = ["one", "two", "three"]
VALUES: dict[str, list[Any]] = {
    "train.class_weights": ["none", "balanced"],
    "train.seed": [0, 1, 2],
    "split.seed": [0, 1],
    "head.pooling": ["none", "avg", "max"],
    "head.activation": ["auto", "softmax"],
    "backbone.image_side": [8, 6],
}
WRONG = ["train.seed=-1", "head.hidden_units=9", "head.units=3", "head.pooling=median"]
RECIPE = {
    "why": "The smallest.",
    "source": "A test.",
    "params": {
        "backbone": {"name": "custom", "weights": "data/no-weights.txt", "layer": "input", "image_side": 4},
        "head": {"kind": "logistic"},
    },
}
Params = dict[str, Any]  # by section.key
# The predictions that params gave, in any sequence: the same params give the same ones, so that no experiment can be
# shown with another one's params unnoticed.
GAVE: dict[str, str] = {}


def flat(text: str) -> Params:
    """The content of a params.yaml by section.key."""
    return {f"{name}.{key}": value for name, section in yaml.safe_load(text).items() for key, value in section.items()}


class Story:
    """One sequence on a project of its own, and what must be so after each step."""

    def __init__(self, project: Project, random: Random) -> None:
        self.project = project
        self.random = random
        self.made: dict[tuple[str, str], Params] = {}  # what experiments were run with, by commit and name
        # The params whose results there must be, where that is known; in the workspace and in HEAD.
        self.results: dict[str, Params | None] = dict.fromkeys(IMPLIED, self.params())

    # What people do

    def step(self) -> str:
        """Does something at random, checks what must be so, and says what it was."""
        steps = [self.attempt, self.attempt, self.attempt_recipe, self.attempt_seeds, self.attempt_wrong, self.run]
        steps += [self.attempt_failing, self.run, self.run_failing, self.edit, self.apply, self.commit]
        chosen = self.random.choice(steps)
        if "attempt" in chosen.__name__:
            before, kept = self.project.contents(), self.git_sees()
            chosen()
            assert self.project.contents() == before
            assert self.git_sees() == kept
        else:
            chosen()
        self.check()
        return chosen.__name__

    def attempt(self) -> None:
        self._attempt(self.changes())

    def attempt_recipe(self) -> None:
        self._attempt({}, "--recipe", "tiny", defaults=complete_settings(RECIPE["params"]))  # type: ignore[arg-type]

    def attempt_seeds(self) -> None:
        self._attempt(self.changes("head.pooling", "train.class_weights"), "--seeds", "2", seeds=2)

    def attempt_wrong(self) -> None:
        wrong = self.random.choice(WRONG)
        self.project.run("python", "-m", "onepass", "try", "wrong", "-S", wrong, expect=2)

    def attempt_failing(self) -> None:
        options = [*self.options(self.changes()), "--again", "-S", "split.validation_fraction=0.3"]
        name = self.random.choice(NAMES)
        self.project.run("python", "-m", "onepass", "try", name, *options, expect=1, environment=self.failing())

    def run(self) -> None:
        changes, name = self.changes(), self.random.choice(NAMES)
        expected = self.params() | changes
        force = ["--force"] * self.random.randrange(2)
        output = self.project.run("dvc", "exp", "run", *force, "--name", name, *self.options(changes), expect=None)
        if f"Ran experiment(s): {name}" in output:
            assert self.params() == expected
            self.results["workspace"] = self.made[self.head(), name] = expected
        else:  # DVC finds only now that the name is taken
            assert (self.head(), name) in self.made, output
            self.results["workspace"] = None

    def run_failing(self) -> None:
        changes = self.options(self.changes() | {"split.validation_fraction": 0.3})
        command = ["dvc", "exp", "run", "--force", "--name", "failed", *changes]
        self.project.run(*command, expect=255, environment=self.failing())
        self.results["workspace"] = None
        self.project.set({"split.validation_fraction": 0.2})  # so that the next one fails, too

    def edit(self) -> None:
        self.project.set(self.changes())

    def apply(self) -> None:
        names = [name for head, name in self.made if head == self.head()]
        if names:
            name = self.random.choice(names)
            self.project.run("dvc", "exp", "apply", name)
            assert self.params() == self.made[self.head(), name]
            self.results["workspace"] = self.params()

    def commit(self) -> None:
        self.project.commit()
        self.results["HEAD"] = self.results["workspace"]

    def _attempt(self, changes: Params, *options: str, defaults: Params | None = None, seeds: int = 1) -> None:
        name, again = self.random.choice(NAMES), ["--again"] * self.random.randrange(2)
        base = flat(self.project.run("git", "show", "HEAD:params.yaml")) | (defaults or {}) | changes
        names = [name] if seeds == 1 else [f"{name}-{number}" for number in range(1, seeds + 1)]
        taken = not again and any((self.head(), each) in self.made for each in names)
        command = ["python", "-m", "onepass", "try", name, *again, *options, *self.options(changes)]
        self.project.run(*command, expect=2 if taken else 0)
        if not taken:
            for number, each in enumerate(names):
                self.made[self.head(), each] = base | {"train.seed": base["train.seed"] + number}

    def changes(self, *among: str) -> Params:
        keys = self.random.sample(list(among or VALUES), self.random.randint(1, 2))
        return {key: self.random.choice(VALUES[key]) for key in keys}

    def options(self, changes: Params) -> list[str]:
        return [part for key, value in changes.items() for part in ("-S", f"{key}={value}")]

    def failing(self) -> dict[str, str]:
        stage = self.random.choice(["train_head", "evaluate"])
        return {"PYTHONPATH": str(Path(__file__).with_name("failing_stage")), "FAILING": f"stages.{stage}"}

    # What must be so

    def check(self) -> None:
        """Each experiment is shown with its params; workspace and HEAD are, only if theirs made the results."""
        experiments = Experiments()
        made = {name: params for (head, name), params in self.made.items() if head == self.head()}
        assert experiments.names == sorted(made)
        found = [experiments.read(name) for name in made]
        for experiment in found:
            assert experiment.params == made[experiment.name]
            self.agree(experiment.params, self.predictions(self.reference(experiment.name)))
        check_comparison([*found, *filter(None, [self.implied(experiments, name) for name in IMPLIED])])

    def implied(self, experiments: Experiments, name: str) -> Experiment | None:
        """Workspace or HEAD, where it has results of its own params."""
        params = self.params() if name == "workspace" else flat(self.project.run("git", "show", "HEAD:params.yaml"))
        try:
            found = experiments.read(name)
        except UserError as error:
            assert self.results[name] != params, error
            return None
        assert found.params == params
        assert self.results[name] in (params, None)
        self.agree(params, self.predictions("" if name == "workspace" else "HEAD"))
        return found

    def agree(self, params: Params, predictions: str) -> None:
        """The same params have given the same predictions before."""
        assert GAVE.setdefault(json.dumps(params, sort_keys=True), predictions) == predictions

    def predictions(self, revision: str) -> str:
        """The digest of predictions.csv that a commit names; without one, that of the file which lies there."""
        if not revision:
            content = (self.project.folder / "metrics/predictions.csv").read_bytes()
            return hashlib.md5(content, usedforsecurity=False).hexdigest()
        lock = yaml.safe_load(self.project.run("git", "show", f"{revision}:dvc.lock"))
        outs = lock["stages"]["evaluate"]["outs"]
        return next(str(out["md5"]) for out in outs if out["path"] == "metrics/predictions.csv")

    def reference(self, name: str) -> str:
        """Where git keeps an experiment of this commit."""
        return f"refs/exps/{self.head()[:2]}/{self.head()[2:]}/{name}"

    def params(self) -> Params:
        """Those of the workspace."""
        return flat((self.project.folder / "params.yaml").read_text())

    def head(self) -> str:
        return self.project.run("git", "rev-parse", "HEAD").strip()

    def git_sees(self) -> list[str]:
        """All that git knows but experiments: status, index, branches, the stash, and where HEAD is."""
        commands = ["status --porcelain", "ls-files --stage", "for-each-ref refs/heads refs/tags refs/stash"]
        return [self.project.run("git", *command.split()) for command in [*commands, "symbolic-ref HEAD"]]


def check_comparison(found: list[Experiment]) -> None:
    """Nothing is tested against itself, or against what has the same predictions."""
    for comparison in compared(ranked(found), None, every_pair=True) if found else []:
        for test in comparison.verdict.tests if comparison.verdict else []:
            first, second = ({one.answers for one in group.experiments} for group in (test.first, test.second))
            assert not first & second


@pytest.fixture(scope="module")
def with_recipe(pixels_done: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny photos with a logistic head and a recipe, everything run and committed."""
    project = pixels_done.copy(tmp_path_factory.mktemp("sequences") / "project")
    (project.folder / "recipes" / "tiny.yaml").write_text(yaml.safe_dump(RECIPE))
    project.commit()
    return project


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_a_try_changes_nothing_and_results_have_the_params_that_made_them(
    seed: int, with_recipe: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, random = with_recipe.copy(tmp_path / "project"), Random(seed)
    enter(project, monkeypatch)
    story = Story(project, random)
    for _ in range(random.randint(3, 6)):
        print(story.step())  # pytest shows the steps of a sequence that fails
