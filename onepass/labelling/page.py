"""The page of suggestions: the photos to label next, in their order."""

from collections.abc import Sequence
from pathlib import Path

from onepass.labelling.suggestions import Suggestion
from onepass.report import render, thumbnails

SIDE = 160  # pixels of a picture's longer side


def suggestions_page(suggestions: Sequence[Suggestion], root: Path, looked_at: int, labelled: int) -> bytes:
    """The page, UTF-8.

    Args:
        root: the folder to which names of files are relative.
        looked_at: photos without a label that were looked at.
        labelled: photos with a label that they were compared with.

    """
    pictures = thumbnails(root, [(one.image.hash, one.image.file) for one in suggestions], SIDE)
    return render(
        "suggestions.html", suggestions=suggestions, pictures=pictures, looked_at=looked_at, labelled=labelled
    )
