"""Findings about the photos, and how the network is given them."""

from typing import Any

import numpy as np

from stages.shared.backbone.applications import APPLICATIONS
from stages.shared.findings.finding import Finding
from stages.shared.findings.near_copies import NearCopies
from stages.shared.findings.photo_facts import PhotoFacts
from stages.shared.params import INPUT

# Of the side. 2,000 + 800 cats and dogs that were first shrunk to half of the 150 pixels that MobileNet sees lost 1.6
# points of accuracy, to a third 4.5, to a quarter 7.4.
SMALL = 0.5
MOST_COPIES = 0.01  # of the evaluated images: what they can add to the accuracy at most


def foreign_preprocessing(fingerprint: dict[str, Any]) -> Finding | None:
    """The network is given other pixels than it was trained on. Of a network of the user's own nobody knows."""
    name, given = fingerprint.get("architecture"), fingerprint.get("preprocess")
    if name not in APPLICATIONS or given == APPLICATIONS[name].preprocess:
        return None
    return Finding(
        "foreign-preprocessing",
        f"{name} was trained on pixels preprocessed as {APPLICATIONS[name].preprocess}, and is given {given}.",
        "Set backbone.preprocess: native.",
    )


def small_images(photos: PhotoFacts, fingerprint: dict[str, Any]) -> Finding | None:
    """Most photos were blown up to the side that the network sees."""
    side = fingerprint["image_side"]
    images, small = len(photos.shorter_sides), int((photos.shorter_sides < SMALL * side).sum())
    if not _sees_colour_photos(fingerprint) or 2 * small <= images:
        return None
    median = int(np.median(photos.shorter_sides))
    return Finding(
        "images-far-smaller-than-side",
        f"{small} of {images} images have a side shorter than half of the {side} pixels they are resized to "
        f"(median {median}): what the network looks for is not in them.",
        f"Find larger photos, or lower backbone.image_side towards {median} and cut at an earlier backbone.layer.",
    )


def grey_images(photos: PhotoFacts, fingerprint: dict[str, Any]) -> Finding | None:
    """Most photos have no colour, and the network or the features have."""
    images = len(photos.shorter_sides)
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


def copies_across_splits(copies: NearCopies, photos: PhotoFacts, metrics: dict[str, Any]) -> Finding | None:
    """So many evaluated images have a near-copy in training that the accuracy may be flattered."""
    count = len(copies.pairs)
    if count < 2 or count <= MOST_COPIES * copies.examined:
        return None
    image, of = (photos.files[hash_] for hash_ in copies.pairs[0])
    return Finding(
        "near-copies-across-splits",
        f"{count} of {copies.examined} {metrics['split']} images are nearly the same as a training image, such as "
        f"{image} and {of}: the accuracy may owe up to {count / copies.examined:.1%} to them.",
        "Keep shots of one thing in one split: give data.root as a CSV with a column group.",
    )


def _sees_colour_photos(fingerprint: dict[str, Any]) -> bool:
    """A network trained on ImageNet, or none. What a network of the user's own was trained on nobody knows."""
    return fingerprint["layer"] == INPUT or fingerprint.get("architecture") in APPLICATIONS
