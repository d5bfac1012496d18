"""What to label next: which photos of an unlabelled folder teach the most, by features that labelling does not lose.

``representatives`` is the way to choose, ``suggestions`` gathers what it needs, ``page`` shows what was chosen. Changes
nothing.
"""

from onepass.labelling.page import suggestions_page
from onepass.labelling.representatives import representatives
from onepass.labelling.suggestions import MOST, Labelled, Suggestion, suggest

__all__ = ["MOST", "Labelled", "Suggestion", "representatives", "suggest", "suggestions_page"]
