"""How sure a number is: intervals of accuracies, paired tests, and corrections for their number.

Knows nothing of files, runs or pages: arrays in, numbers out. Each method names its source.
"""

from onepass.statistics.intervals import LEVEL, wilson
from onepass.statistics.paired_tests import Paired, bootstrap, holm, paired_test, sign_flip
from onepass.statistics.resampling import corrected_difference, corrected_interval

__all__ = [
    "LEVEL",
    "Paired",
    "bootstrap",
    "corrected_difference",
    "corrected_interval",
    "holm",
    "paired_test",
    "sign_flip",
    "wilson",
]
