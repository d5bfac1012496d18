"""Trials: experiments that are exactly what they say, the last commit and these changes.

``recipes`` are named sets of params, ``changes`` turn what a person typed into the params of each experiment, and
``checkout`` runs one in a repository of its own, so that the workspace stays as it is. Knows nothing of comparing.
"""

from onepass.trials.changes import Trial, plan_trials
from onepass.trials.checkout import run_trials
from onepass.trials.recipes import FOLDER, Recipe, read_recipe, recipe_names, recipe_settings

__all__ = [
    "FOLDER",
    "Recipe",
    "Trial",
    "plan_trials",
    "read_recipe",
    "recipe_names",
    "recipe_settings",
    "run_trials",
]
