"""Trials: experiments that are exactly what they say, the last commit and these changes.

``recipes`` are named sets of params, ``changes`` turn what a person typed into the params of each experiment, and
``checkout`` runs one in a repository of its own, so that the workspace stays as it is. Knows nothing of comparing.
"""

from onepass.trials.changes import PATHS, Trial, check_name, fixed_settings, photos_in_params, plan_trials, roots_of
from onepass.trials.checkout import Finished, refuse_taken_names, run_trials, usual_jobs
from onepass.trials.queue import MADE_BY_RUNS, changed_files, queue_trials
from onepass.trials.recipes import FOLDER, Recipe, complete_settings, read_recipe, recipe_names

__all__ = [
    "FOLDER",
    "MADE_BY_RUNS",
    "PATHS",
    "Finished",
    "Recipe",
    "Trial",
    "changed_files",
    "check_name",
    "complete_settings",
    "fixed_settings",
    "photos_in_params",
    "plan_trials",
    "queue_trials",
    "read_recipe",
    "recipe_names",
    "refuse_taken_names",
    "roots_of",
    "run_trials",
    "usual_jobs",
]
