"""Findings about the photos, and how the network is given them."""

from collections import Counter
from typing import Any

from onepass.backbones import APPLICATIONS
from onepass.evaluation.findings.finding import Finding, RunFacts, register_finding
from onepass.params import INPUT

# Of the side. 2,000 + 800 cats and dogs that were first shrunk to half of the 150 pixels that MobileNet sees lost 1.6
# points of accuracy, to a third 4.5, to a quarter 7.4.
SMALL = 0.5
MOST_COPIES = 0.01  # of the evaluated images: what they can add to the accuracy at most


@register_finding(rank=30)
def foreign_preprocessing(facts: RunFacts) -> Finding | None:
    """The network is given other pixels than it was trained on. Of a network of the user's own nobody knows."""
    name, given = facts.fingerprint.get("architecture"), facts.fingerprint.get("preprocess")
    if name not in APPLICATIONS or given == APPLICATIONS[name].preprocess:
        return None
    return Finding(
        "foreign-preprocessing",
        f"{name} was trained on pixels preprocessed as {APPLICATIONS[name].preprocess}, and is given {given}.",
        "Set backbone.preprocess: native.",
    )


@register_finding(rank=40)
def small_images(facts: RunFacts) -> Finding | None:
    """Most photos were blown up to the side that the network sees."""
    side, sides = facts.fingerprint["image_side"], facts.photos.shorter_sides
    images, small = sides.total(), sum(count for pixels, count in sides.items() if pixels < SMALL * side)
    if not _sees_colour_photos(facts.fingerprint) or 2 * small <= images:
        return None
    median = _median(sides)
    return Finding(
        "images-far-smaller-than-side",
        f"{small} of {images} images have a side shorter than half of the {side} pixels they are resized to "
        f"(median {median}): what the network looks for is not in them.",
        f"Find larger photos, or lower backbone.image_side towards {median} and cut at an earlier backbone.layer.",
    )


@register_finding(rank=50)
def grey_images(facts: RunFacts) -> Finding | None:
    """Most photos have no colour, and the network or the features have."""
    photos, fingerprint = facts.photos, facts.fingerprint
    images = photos.shorter_sides.total()
    kept_grey = fingerprint.get("color_mode") == "grayscale"
    if kept_grey or not _sees_colour_photos(fingerprint) or 2 * photos.grey <= images:
        return None
    return Finding(
        "grey-images",
        f"{photos.grey} of {images} images have no colour; "
        f"{fingerprint.get('architecture', 'the head')} is given the same values three times.",
        "Compare with backbone.layer: input, backbone.color_mode: grayscale and head.kind: cnn, a network of its own "
        "on a third of the values.",
    )


@register_finding(rank=60)
def copies_across_splits(facts: RunFacts) -> Finding | None:
    """So many evaluated images have a near-copy in training that the accuracy may be flattered."""
    copies = facts.copies
    count = copies.images
    if count < 2 or count <= MOST_COPIES * copies.examined:
        return None
    first = copies.pairs[0]
    image, of = facts.photos.files[first.hash], facts.photos.files[first.copy_hash]
    shown = "all pairs" if copies.complete else f"{len(copies.pairs):,} of the pairs"
    again = "" if copies.examined == facts.metrics.images else " Then look here again: the others were not compared."
    return Finding(
        "near-copies-across-splits",
        f"{count} of {copies.examined} {facts.metrics.split} images are nearly the same as a training image, such as "
        f"{image} and {of}: the accuracy may owe up to {count / copies.examined:.1%} to them. "
        f"metrics/near_copies.csv has {shown}.",
        "To keep them in one split, copy metrics/labels.csv into the folder of the photos (where data.root is a CSV "
        f"file: in place of your CSV) and run `dvc repro`.{again}",
    )


def _sees_colour_photos(fingerprint: dict[str, Any]) -> bool:
    """A network trained on ImageNet, or none. What a network of the user's own was trained on nobody knows."""
    return fingerprint["layer"] == INPUT or fingerprint.get("architecture") in APPLICATIONS


def _median(counts: Counter[int]) -> int:
    """Of numbers that are given by how often each of them is there; rounded down between two."""
    ordered, half = sorted(counts.items()), counts.total() / 2
    below = 0
    for place, (number, count) in enumerate(ordered):
        below += count
        if below > half:
            return number
        if below == half:
            return (number + ordered[place + 1][0]) // 2
    return 0
