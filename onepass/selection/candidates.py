"""What is tried, in three rounds: each backbone, then other cuts of the good ones, then heads on the best features.

All combinations would take ten times as long. A backbone is not judged by its deepest cut alone: on 851 photos of
materials MobileNet is worse than SqueezeNet there (0.796 and 0.809), and better two layers below.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from onepass.params import LAST, BackboneParams
from onepass.selection.backbones_at_hand import AtHand
from onepass.selection.costs import Cost
from onepass.trials import Trial, complete_settings

FIRST_HEAD = "logistic"  # for all features: nothing of it has to be tuned
# Settings of head and train of the others, for features averaged over the photo: their values are small and few.
OTHER_HEADS: dict[str, dict[str, dict[str, Any]]] = {
    "mlp": {"head": {"hidden_units": 256}, "train": {"epochs": 300, "patience": 30}},
}
Costs = Mapping[str, Cost]  # by the label of the backbone


class Candidate(NamedTuple):
    """Something to try."""

    label: str  # of the backbone
    params: BackboneParams
    guessed: bool  # whether its preprocessing is one of several that are tried
    head: str

    @property
    def name(self) -> str:
        """Of its experiment, behind the name of the search."""
        params = self.params
        told = [self.label, *([str(params.preprocess)] if self.guessed else []), params.cut]
        told += [params.pooling] if params.pooling != "avg" else []
        return "-".join(re.sub(r"[^\w-]+", "_", part) for part in [*told, self.head])

    def trial(self, name: str, base: Mapping[str, Any]) -> Trial:
        """Its experiment: every key of backbone, head and train, so that nothing of another one is left over.

        Args:
            name: of the experiment.
            base: settings of data and split.

        """
        of_head = OTHER_HEADS.get(self.head, {})
        head = {"kind": self.head, **of_head.get("head", {})}
        sections = {"backbone": self.params.model_dump(), "head": head, "train": of_head.get("train", {})}
        settings = complete_settings(sections)
        return Trial(name, {**base, **settings})


def each_backbone(backbones: Sequence[AtHand], costs: Costs) -> Iterator[Candidate]:
    """Each at its deepest cut, with each preprocessing that it may have been trained with; the cheapest first."""
    for backbone in sorted(backbones, key=lambda known: costs[known.label].seconds):
        if backbone.chosen:
            yield Candidate(backbone.label, backbone.params, len(backbone.preprocess) > 1, FIRST_HEAD)
        cuts = costs[backbone.label].cuts
        cut = {"layer": cuts[0], "pooling": "avg"} if cuts else {"layer": LAST, "pooling": backbone.of_output}
        for preprocess in backbone.preprocess:
            params = backbone.params.model_copy(update={**cut, "preprocess": preprocess})
            yield Candidate(backbone.label, params, len(backbone.preprocess) > 1, FIRST_HEAD)


def other_cuts(good: Iterable[Candidate], costs: Costs) -> Iterator[Candidate]:
    """The same backbones, cut elsewhere."""
    for candidate in good:
        for layer in costs[candidate.label].cuts[1:]:
            yield candidate._replace(params=candidate.params.model_copy(update={"layer": layer, "pooling": "avg"}))


def other_heads(best: Candidate) -> Iterator[Candidate]:
    """The same features with other heads."""
    for head in OTHER_HEADS:
        yield best._replace(head=head)


def most_of_all(backbones: Sequence[AtHand], costs: Costs) -> int:
    """How many candidates there are at most."""
    cuts = sum(max(len(cost.cuts) - 1, 0) for cost in costs.values())
    return len({*each_backbone(backbones, costs)}) + cuts + len(OTHER_HEADS)
