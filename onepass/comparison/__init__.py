"""An honest comparison of experiments: what each answered, which of them are one, and which is better.

Reads experiments through ``onepass.dvc_repo``, takes only results that belong to their params, tests those that were
evaluated on the same images with ``onepass.statistics``, and says no more than the tests allow, as tables, a page or a
picture.
"""

from onepass.comparison.accuracy_plot import draw_accuracies
from onepass.comparison.differences import difference
from onepass.comparison.experiments import IMPLIED, Experiment, Experiments, NoResultsError
from onepass.comparison.page import comparison_page
from onepass.comparison.same_images import Comparison, compared
from onepass.comparison.seed_groups import SeedGroup, ranked
from onepass.comparison.tables import accuracies, paired_tests

__all__ = [
    "IMPLIED",
    "Comparison",
    "Experiment",
    "Experiments",
    "NoResultsError",
    "SeedGroup",
    "accuracies",
    "compared",
    "comparison_page",
    "difference",
    "draw_accuracies",
    "paired_tests",
    "ranked",
]
