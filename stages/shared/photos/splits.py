"""Which images train, which choose the epoch, and which only evaluate sees.

An image's split is a function of its content (or its group) and the seed alone, so that adding images
moves no old one. That rules out stratifying; whether every class is everywhere is checked instead.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from stages.shared.errors import UserError, listed
from stages.shared.photos.photos import Photo
from stages.shared.photos.tables import Assignment

# Each content hash with its photos, all of one label. Gone through several times: no iterator.
Images: TypeAlias = Iterable[tuple[str, Sequence[Photo]]]


def draw(key: str, seed: int) -> float:
    """A number in 0..1, 1 not included, that depends on ``key`` and ``seed`` only."""
    digest = hashlib.sha256(f"{seed}:{key}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def assign(images: Images, validation_fraction: float, test_fraction: float, seed: int) -> list[str]:
    """The split of each image, in the order given.

    Raises:
        UserError: the same bytes in two given splits or two groups, a group in two given splits, fewer
            than two classes, or a class that is missing from a split.

    """
    given = [_agreed(photos, "split") for _, photos in images]
    groups = [_agreed(photos, "group") for _, photos in images]
    if any(groups):
        _check_groups(images, given, groups)
    # Photos that come in train and test folders only still need images to choose the epoch by.
    carve_validation = any(given) and "validation" not in given
    splits = []
    counts: Counter[tuple[str, str]] = Counter()  # of images by label and split
    for (hash_, photos), said, group in zip(images, given, groups, strict=True):
        place = draw(group or hash_, seed)
        split = said
        if not split:
            split = "test" if place < test_fraction else "train"
            place -= test_fraction
        if split == "train" and place < validation_fraction and (carve_validation or not said):
            split = "validation"
        splits.append(split)
        counts[photos[0].label, split] += 1
    needs_test = test_fraction > 0 and not all(given)
    _check_classes(counts, needs_test or "test" in given)
    return splits


def assignments(images: Images, splits: Sequence[str]) -> Iterator[Assignment]:
    """A row an image, with the splits that ``assign`` gave."""
    for (hash_, photos), split in zip(images, splits, strict=True):
        yield Assignment(hash_, photos[0].label, split)


def _agreed(photos: Sequence[Photo], what: str) -> str:
    """What all files with the same bytes say, where they say anything."""
    said = {getattr(photo, what): photo.file for photo in photos if getattr(photo, what)}
    if len(said) > 1:
        (one, file), (other, other_file), *_ = sorted(said.items())
        raise UserError(
            f"{file} and {other_file} are the same bytes, but their {what}s are {one!r} and {other!r}. "
            f"An image that trains must not be evaluated: delete one of the two files, or give both one {what}."
        )
    return next(iter(said), "")


def _check_groups(images: Images, given: Sequence[str], groups: Sequence[str]) -> None:
    first: dict[str, tuple[str, str]] = {}
    for (_, photos), said, group in zip(images, given, groups, strict=True):
        if not group:
            continue
        split, file = first.setdefault(group, (said, photos[0].file))
        if split != said:
            raise UserError(
                f"group {group!r} is in two splits: {file} in {split or 'none'} and "
                f"{photos[0].file} in {said or 'none'}. Give the whole group one split."
            )


def _check_classes(counts: Counter[tuple[str, str]], needs_test: bool) -> None:
    labels: Counter[str] = Counter()
    for (label, _), count in counts.items():
        labels[label] += count
    if len(labels) < 2:
        raise UserError(
            f"Found {counts.total()} usable images in {len(labels)} classes ({', '.join(labels) or 'none'}); "
            "expected at least two classes. data.root holds a folder a class, or split folders with those inside."
        )
    expected = ["train", "validation", "test"] if needs_test else ["train", "validation"]
    problems = [
        f"{label} ({labels[label]} images) has none in {split}"
        for label in sorted(labels)
        for split in expected
        if (label, split) not in counts
    ]
    if problems:
        raise UserError(
            f"Every class needs images in every split:\n{listed(problems)}\n"
            "Add images of these classes, raise the split's fraction, or try another split.seed."
        )
