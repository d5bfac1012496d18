"""Named experiments: each file in recipes/ is one way to classify photos, as the params in which it differs.

``recipes run`` is ``dvc exp run --name NAME --set-param ...`` for each recipe, and nothing more. All keys of the
sections that a recipe sets are given, those that it leaves out with their defaults, so that nothing of the experiment
before is left over.
"""

import subprocess
import sys
from typing import Any

import click

from onepass.trials import FOLDER, Recipe, complete_settings, read_recipe, recipe_names


@click.group(no_args_is_help=True)
def command() -> None:
    """Named experiments: list them, or run them as experiments of the same names.

    Example: python -m onepass recipes run ours question-cnn -S data.root=/path/to/photos
    """


@command.command("list")
def list_recipes() -> None:
    """Every recipe: what it is and where it comes from.

    Example: python -m onepass recipes list
    """
    for name in recipe_names():
        recipe = read_recipe(FOLDER / f"{name}.yaml")
        print(f"{name}\n    {recipe.why}\n    Source: {recipe.source}")


@command.command("run")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--queue", is_flag=True, help="Queue them; `dvc queue start` runs them.")
@click.option(
    "-S", "--set-param", "changes", multiple=True, metavar="SECTION.KEY=VALUE", help="A change; may be repeated."
)
def run_recipes(names: tuple[str, ...], queue: bool, changes: tuple[str, ...]) -> None:
    """Run recipes as experiments of the same names, one after the other.

    Example: python -m onepass recipes run ours -S data.root=/path/to/photos
    """
    recipes = {name: read_recipe(FOLDER / f"{name}.yaml") for name in names}
    for name, recipe in recipes.items():
        line = [*dvc_command(name, recipe), *(["--queue"] if queue else [])]
        for change in changes:  # after the recipe's own: the later one counts
            line += ["--set-param", change]
        if code := subprocess.run(line, check=False).returncode:
            sys.exit(code)


def dvc_command(name: str, recipe: Recipe) -> list[str]:
    """The ``dvc exp run`` of a recipe."""
    line = ["dvc", "exp", "run", "--name", name]
    for key, value in complete_settings(recipe.params).items():
        line += ["--set-param", f"{key}={_text(value)}"]
    return line


def _text(value: Any) -> str:
    """A value as DVC's ``--set-param`` reads it."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
