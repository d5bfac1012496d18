"""The plan of a search: what there is to choose from and what it costs; kept, so that a search that goes on decides the
same.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from onepass.core import UserError, write_json
from onepass.dvc_repo import digest_of, dvc_files
from onepass.photos import base_folder, find_photos
from onepass.selection.backbones_at_hand import AtHand
from onepass.selection.costs import Cost, measure

PLANS = Path(".dvc/tmp/onepass/selection")
FIRST_OVERHEAD = 15.0  # seconds that an experiment may take beside its extraction, until one has
LEAST_OVERHEAD = 5.0
SAMPLE = 96  # photos, from all over


class Plan:
    """Backbones with their costs, and what the search has taken so far."""

    def __init__(
        self,
        path: Path,
        images: int,
        backbones: Sequence[AtHand],
        costs: dict[str, Cost],
        spent: float,
        overhead: float,
    ) -> None:
        self.images = images
        self.backbones = backbones
        self.costs = costs
        self.spent = spent  # seconds
        self.overhead = overhead  # seconds that the last experiment took beside its extraction
        self._path = path

    def extraction(self, label: str) -> float:
        """Seconds for all photos to pass a backbone."""
        return self.images * self.costs[label].seconds

    def spend(self, seconds: float, overhead: float) -> None:
        """Adds an experiment to what the search has taken."""
        self.spent += seconds
        self.overhead = max(overhead, LEAST_OVERHEAD)
        costs = {label: cost._asdict() for label, cost in self.costs.items()}
        write_json(self._path, {"images": self.images, "costs": costs, "spent": self.spent, "overhead": self.overhead})


def make_plan(root: str, backbones: Sequence[AtHand]) -> Plan:
    """Measures what is not known of an earlier search among the same backbones on the same photos.

    Raises:
        UserError: there are no photos, or weights that cannot be used.

    """
    question = [digest_of(dvc_files(), root), *(repr(backbone) for backbone in backbones)]
    path = PLANS / f"{hashlib.sha256(json.dumps(question).encode()).hexdigest()}.json"
    try:
        kept = json.loads(path.read_bytes())
        costs = {label: Cost(**cost) for label, cost in kept["costs"].items()}
        return Plan(path, kept["images"], backbones, costs, kept["spent"], kept["overhead"])
    except (OSError, ValueError, TypeError, KeyError):
        photos = find_photos(root)
        if not len(photos):
            raise UserError(f"{root} holds no file. Give a folder of photos with --photos.") from None
        files = [photos[number].file for number in range(0, len(photos), max(len(photos) // SAMPLE, 1))]
        plan = Plan(
            path, len(photos), backbones, {b.label: measure(b, base_folder(root), files) for b in backbones}, 0.0, 0.0
        )
        plan.spend(0.0, FIRST_OVERHEAD)
        return plan
