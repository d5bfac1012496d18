"""Recipes: each file in recipes/ is one way to classify photos, as the params in which it differs from the defaults."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from onepass.backbones import check_backbone
from onepass.core import UserError, read_yaml
from onepass.heads import all_head_keys, read_head_plan
from onepass.params import BackboneParams, ParamsFile, Section

FOLDER = Path("recipes")


class Recipe(Section):
    """A file in recipes/."""

    why: str
    source: str
    params: dict[str, dict[str, Any]]


def recipe_names() -> list[str]:
    """Of all recipes, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_recipe(path: Path) -> Recipe:
    """A recipe, checked. UserError where it is none."""
    if not path.is_file():
        raise UserError(f"No recipe {path.stem} in {FOLDER}/; there are: {', '.join(recipe_names()) or 'none'}.")
    try:
        recipe = Recipe.model_validate(read_yaml(path.read_bytes(), str(path)))
        params = ParamsFile(recipe.params, path)
        backbone = params.read(BackboneParams)
        check_backbone(backbone)
        read_head_plan(params, backbone)
    except (ValidationError, UserError) as error:
        raise UserError(f"{path} is no recipe (why, source, params with backbone, head and train): {error}") from error
    return recipe


def complete_settings(sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All keys of the sections backbone, head and train by section.key, those that are left out with their defaults:
    so that nothing of the experiment before is left over.
    """
    params = ParamsFile(sections)
    return {
        f"{schema.section}.{key}": value
        for schema in (BackboneParams, *all_head_keys())
        for key, value in params.read(schema).model_dump(mode="json").items()
    }
