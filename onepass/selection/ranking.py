"""Which backbone: all of them judged by cheap heads on the same sample of the photos, in a cross-validation.

A score that needs no training would be cheaper, but the evidence speaks against those: none wins everywhere
(arXiv 2204.01403), and a static list by size beats them (2510.06448).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onepass.audit import FeatureTable, LeftOut, cross_validate
from onepass.backbones import resolve
from onepass.core import progress_bar
from onepass.evaluation import pooled
from onepass.features import features_of_sample
from onepass.heads import CHEAP_HEADS
from onepass.params import BackboneParams
from onepass.photos import Image
from onepass.selection.backbones_at_hand import AtHand
from onepass.selection.costs import cut_at, seconds_a_photo
from onepass.statistics import corrected_difference

REPEATS = 5
SEED = 0  # of the folds, which are the same for all


class Rankable(NamedTuple):
    """A backbone, cut somewhere, at some side."""

    label: str
    params: BackboneParams


class Ranked(NamedTuple):
    """What the sample says of one."""

    candidate: Rankable
    side: int
    best: LeftOut  # of the head with the lower log loss
    seconds: float  # for a photo to be decoded, resized and to pass the network
    bytes: int  # of the features of a photo, as they would be stored


class Sample(NamedTuple):
    """Some of the photos, sorted by hash."""

    images: list[Image]
    labels: list[str]


def candidates_of(backbones: Sequence[AtHand], sides: Sequence[int]) -> Iterator[Rankable]:
    """Each at its own cut where somebody chose one, else at each that is worth trying, with each preprocessing."""
    for backbone in backbones:
        for side in sides or [0]:
            params = backbone.params.model_copy(update={"image_side": side} if side else {})
            whole = resolve(params)
            cuts = [] if backbone.chosen else [cut_at(layer) for layer in whole.source.cuts_to_try(whole)]
            params = params.model_copy(update={} if backbone.chosen or cuts else {"pooling": backbone.of_output})
            for changes in cuts or [{}]:
                for preprocess in backbone.preprocess:
                    yield Rankable(backbone.label, params.model_copy(update={**changes, "preprocess": preprocess}))


def rank(candidates: Sequence[Rankable], sample: Sample, root: Path, out: Path) -> list[Ranked]:
    """The best first.

    Args:
        root: the folder to which names of files are relative.
        out: where the pipeline keeps features.

    Raises:
        UserError: weights or photos that cannot be used, or a class with too few photos.

    """
    classes = sorted(set(sample.labels))
    labels = np.array([classes.index(label) for label in sample.labels])
    files = [image.file for image in sample.images]
    found = []
    with progress_bar(len(candidates), "rank", "backbones") as bar:
        for candidate in candidates:
            features = features_of_sample(candidate.params, sample.images, root, out)
            table = FeatureTable(pooled(features), labels, classes, [])
            left_out = cross_validate(CHEAP_HEADS, table, REPEATS, SEED)
            best = min(left_out, key=lambda one: one.log_loss(labels))
            seconds = seconds_a_photo(candidate.params, root, files)
            size = int(np.prod(features.shape[1:])) * features.dtype.itemsize
            side = resolve(candidate.params).side
            found.append(Ranked(candidate, side, best, seconds, size))
            bar.update()
    return sorted(found, key=lambda one: (-one.best.accuracy()[0], one.bytes))


def alike(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Those that the sample cannot tell from the first."""
    first = ranked[0].best
    found = []
    for one in ranked[1:]:
        differences = np.subtract(first.accuracies, one.best.accuracies).tolist()
        low, _ = corrected_difference(differences, 1 / first.folds)
        if low <= 0:
            found.append(one)
    return found
