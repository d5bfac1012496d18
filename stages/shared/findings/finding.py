"""One thing that a good colleague would notice in a run."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A thing to notice."""

    name: str  # kebab-case
    evidence: str  # a sentence with the numbers
    advice: str  # a sentence that names the param
