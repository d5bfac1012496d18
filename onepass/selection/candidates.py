"""What is tried, in three rounds: each backbone, then cuts of the best one, then heads on the best features.

Each round starts from the best of all before. All combinations would take ten times as long, and what one round
decides has little to do with the others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from onepass.params import LAST, BackboneParams
from onepass.selection.backbones_at_hand import AtHand
from onepass.selection.costs import Cost
from onepass.trials import Trial, complete_settings

HEADS = ("logistic", "mlp")  # the first one for all features: nothing of it has to be tuned
Costs = Mapping[str, Cost]  # by the label of the backbone


class Candidate(NamedTuple):
    """Something to try."""

    label: str  # of the backbone
    params: BackboneParams
    head: str

    @property
    def name(self) -> str:
        """Of its experiment, behind the name of the search."""
        params = self.params
        # A network of keras.applications has one preprocessing, which need not be told.
        told = [self.label, *([params.preprocess] if params.preprocess != "native" else []), params.layer]
        told += [params.pooling] if params.pooling != "avg" else []
        return "-".join(re.sub(r"[^\w-]+", "_", part) for part in [*told, self.head])

    def trial(self, name: str, base: Mapping[str, Any]) -> Trial:
        """Its experiment: every key of backbone, head and train, so that nothing of another one is left over.

        Args:
            name: of the experiment.
            base: settings of data and split.

        """
        settings = complete_settings({"backbone": self.params.model_dump(), "head": {"kind": self.head}})
        return Trial(name, {**base, **settings})


def each_backbone(backbones: Sequence[AtHand], costs: Costs) -> Iterator[Candidate]:
    """Each at its deepest cut, with each preprocessing that it may have been trained with; the cheapest first."""
    for backbone in sorted(backbones, key=lambda known: costs[known.label].seconds):
        if backbone.chosen:
            yield Candidate(backbone.label, backbone.params, HEADS[0])
        cuts = costs[backbone.label].cuts
        cut = {"layer": cuts[0], "pooling": "avg"} if cuts else {"layer": LAST, "pooling": "none"}
        for preprocess in backbone.preprocess:
            params = backbone.params.model_copy(update={**cut, "preprocess": preprocess})
            yield Candidate(backbone.label, params, HEADS[0])


def other_cuts(best: Candidate, costs: Costs) -> Iterator[Candidate]:
    """The same backbone, cut elsewhere."""
    for layer in costs[best.label].cuts[1:]:
        yield best._replace(params=best.params.model_copy(update={"layer": layer, "pooling": "avg"}))


def other_heads(best: Candidate) -> Iterator[Candidate]:
    """The same features with other heads."""
    for head in HEADS[1:]:
        yield best._replace(head=head)


def most_of_all(backbones: Sequence[AtHand], costs: Costs) -> int:
    """How many candidates there are at most."""
    cuts = max(len(cost.cuts) for cost in costs.values())
    return len({*each_backbone(backbones, costs)}) + max(cuts - 1, 0) + len(HEADS) - 1
