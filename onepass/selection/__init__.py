"""Model selection: from a folder of photos to the best honest model, by cross-validation and one look at the test.

``backbones_at_hand`` says what there is to choose from, ``costs`` and ``plan`` what that takes, ``candidates`` what is
tried, ``search`` tries it, each as an experiment of DVC, and ``judgement`` runs the best one. ``ranking`` judges
backbones alone, by a sample. Knows nothing of how a head is trained or judged.
"""

from onepass.selection.backbones_at_hand import AtHand, backbones_at_hand
from onepass.selection.candidates import Candidate
from onepass.selection.judgement import COMPARISON, Judged, bring_here, judge, name_for, write_comparison
from onepass.selection.plan import Plan, make_plan
from onepass.selection.ranking import Rankable, Ranked, Sample, alike, candidates_of, rank
from onepass.selection.ranking_plot import draw_ranking
from onepass.selection.search import Search, Tried

__all__ = [
    "COMPARISON",
    "AtHand",
    "Candidate",
    "Judged",
    "Plan",
    "Rankable",
    "Ranked",
    "Sample",
    "Search",
    "Tried",
    "alike",
    "backbones_at_hand",
    "bring_here",
    "candidates_of",
    "draw_ranking",
    "judge",
    "make_plan",
    "name_for",
    "rank",
    "write_comparison",
]
