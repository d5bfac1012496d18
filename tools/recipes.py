"""Named experiments: each file in recipes/ is one way to classify photos, as parameters.

    python -m tools.recipes list
    python -m tools.recipes run question-cnn ours -S data.root=/path/to/photos

``run`` is ``dvc exp run --name NAME --set-param ...`` for each recipe, and nothing more.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.shared.errors import UserError
from stages.shared.params import Backbone, Head, Section, Train

FOLDER = Path("recipes")


class Params(Section):
    """Whole sections, so that nothing of the experiment before is left over."""

    backbone: Backbone
    head: Head
    train: Train


class Recipe(Section):
    """A file in recipes/."""

    why: str
    source: str
    params: Params


def main(arguments: list[str]) -> int:
    """0, or the exit code of the first ``dvc exp run`` that failed."""
    given = _parser().parse_args(arguments)
    recipes = {path.stem: load(path) for path in sorted(FOLDER.glob("*.yaml"))}
    if given.command == "list":
        for name, recipe in recipes.items():
            print(f"{name}\n    {recipe.why}\n    Source: {recipe.source}")
        return 0
    if unknown := sorted(set(given.names) - set(recipes)):
        raise UserError(f"No recipe {', '.join(unknown)} in {FOLDER}/; there are: {', '.join(recipes) or 'none'}.")
    for name in given.names:
        command = [*command_of(name, recipes[name]), *(["--queue"] if given.queue else [])]
        for change in given.set_param:  # after the recipe's own: the later one counts
            command += ["--set-param", change]
        if code := subprocess.run(command, check=False).returncode:
            return code
    return 0


def load(path: Path) -> Recipe:
    """A recipe, checked. UserError where it is none."""
    try:
        return Recipe.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
    except (ValueError, YAMLError) as error:
        raise UserError(f"{path} is no recipe (why, source, params with backbone, head and train): {error}") from error


def command_of(name: str, recipe: Recipe) -> list[str]:
    """The ``dvc exp run`` of a recipe."""
    command = ["dvc", "exp", "run", "--name", name]
    for section, values in recipe.params.model_dump().items():
        for key, value in values.items():
            command += ["--set-param", f"{section}.{key}={_text(value)}"]
    return command


def _text(value: Any) -> str:
    """A value as DVC's ``--set-param`` reads it."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.recipes", description="Named experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every recipe: what it is and where it comes from")
    run = commands.add_parser("run", help="run recipes as experiments of the same names")
    run.add_argument("names", nargs="+", metavar="NAME")
    run.add_argument("--queue", action="store_true", help="queue them; `dvc queue start` runs them")
    run.add_argument("-S", "--set-param", action="append", default=[], metavar="SECTION.KEY=VALUE", help="a change")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
