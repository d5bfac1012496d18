"""Experiments for tests, made up: of each only what it answered, and what a test is about."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from onepass.comparison import Experiment, SeedGroup, ranked

IMAGES = 100


def experiment(name: str, *wrong: int, **facts: Any) -> Experiment:
    """Answers for 100 images of which those numbered ``wrong`` are wrong."""
    right = ~np.isin(np.arange(IMAGES), wrong)
    labels = {f"{number:03}": "cat" for number in range(IMAGES)}
    same = Experiment(name, name, {}, {}, [0, 0], name, "test", None, None, False, labels, right, 0.5, None, None, None)
    return same._replace(**facts)


def groups(**wrong: Iterable[int]) -> list[SeedGroup]:
    """A group for each name, with these images wrong."""
    return ranked([experiment(name, *of_name) for name, of_name in wrong.items()])
