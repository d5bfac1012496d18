"""An honest comparison of experiments: what each answered, which of them are one, and which is better.

Reads experiments through ``onepass.dvc_repo``, tests them with ``onepass.statistics``, and says no more than the
tests allow, as tables, a page or a picture.
"""

from onepass.comparison.accuracy_plot import draw_accuracies
from onepass.comparison.experiments import WORKSPACE, Experiment, Experiments, NoResultsError
from onepass.comparison.page import comparison_page
from onepass.comparison.seed_groups import SeedGroup, check_same_images, difference, distinct, ranked
from onepass.comparison.tables import accuracies, paired_tests
from onepass.comparison.verdict import Verdict, against_the_baseline, against_the_best, notes

__all__ = [
    "WORKSPACE",
    "Experiment",
    "Experiments",
    "NoResultsError",
    "SeedGroup",
    "Verdict",
    "accuracies",
    "against_the_baseline",
    "against_the_best",
    "check_same_images",
    "comparison_page",
    "difference",
    "distinct",
    "draw_accuracies",
    "notes",
    "paired_tests",
    "ranked",
]
