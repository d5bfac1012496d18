"""One thing to notice, what is known of a run, and the findings that there are."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from onepass.core import UserError
from onepass.evaluation.metrics import Metrics
from onepass.evaluation.near_copies import NearCopies
from onepass.evaluation.photo_facts import PhotoFacts
from onepass.heads import HeadPlan


class Finding(NamedTuple):
    """A thing to notice."""

    name: str  # kebab-case
    evidence: str  # a sentence with the numbers
    advice: str  # a sentence that names the param


@dataclass(frozen=True)
class RunFacts:
    """All that is known of a run when its findings are sought."""

    plan: HeadPlan  # the head and its params
    metrics: Metrics
    converged: bool  # false where a search for the best head was ended on its way
    losses: list[float]  # validation loss by epoch, nats; one where no epochs were run
    correct: int  # training images that the kept head has right
    labels: Counter[str]  # of the training images
    photos: PhotoFacts  # of the usable files, and with the names of the most alike copies
    confidence: float  # mean probability of what was predicted of the evaluated images, 0..1
    fingerprint: dict[str, Any]  # of the features
    shape: list[int]  # of the stored features of one image
    copies: NearCopies


Check = Callable[[RunFacts], Finding | None]
CHECKS: list[tuple[int, Check]] = []


def register_finding(rank: int) -> Callable[[Check], Check]:
    """Makes a finding known. ``rank``: the lower, the more it explains, and the earlier it is told."""

    def registered(check: Check) -> Check:
        CHECKS.append((rank, check))
        return check

    return registered


def find_all(facts: RunFacts) -> list[Finding]:
    """All that there is to notice, what explains the most first."""
    ranked = sorted(CHECKS, key=lambda ranked: ranked[0])
    return [finding for _, check in ranked if (finding := check(facts))]


def read_findings(path: Path) -> list[Finding]:
    """The findings that evaluate wrote. UserError where the file is missing or something else."""
    try:
        return [Finding(**finding) for finding in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} cannot be read: {error}. `dvc repro` brings it up to date.") from error
