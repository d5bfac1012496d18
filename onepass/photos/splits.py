"""What an image means: its one label, and whether it trains, chooses the epoch, or only evaluate sees it.

An image's split is a function of its content (or its group) and the seed alone, so that adding images
moves no old one. That rules out stratifying; whether every class is everywhere is checked instead.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from onepass.core import UserError, listed
from onepass.photos.photo_table import Photo
from onepass.photos.tables import Assignment, Quarantined

SPLITS = ("train", "validation", "test")
SPLIT_NAMES = {  # what people call them
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}

# Each content hash with its photos, all of one label.
Images: TypeAlias = Iterable[tuple[str, Sequence[Photo]]]


def label_conflicts(images: Images, policy: str) -> list[Quarantined]:
    """The same bytes under two labels: one of them must be wrong, and nobody but the user knows which.

    Args:
        policy: ``data.label_conflicts``.

    Raises:
        UserError: there are some, and the policy is error.

    """
    conflicts = {hash_: same for hash_, same in images if len({photo.label for photo in same}) > 1}
    if conflicts and policy == "error":
        lines = [" and ".join(f"{photo.file} ({photo.label})" for photo in same) for same in conflicts.values()]
        raise UserError(
            f"{len(conflicts)} images stand under two labels with the same bytes:\n{listed(lines)}\n"
            "Delete or relabel one of each, or use neither: data.label_conflicts: quarantine."
        )
    return [
        Quarantined(hash_, photo.file, "two_labels", "also " + ", ".join(p.file for p in same if p != photo))
        for hash_, same in conflicts.items()
        for photo in same
    ]


def draw(key: str, seed: int) -> float:
    """A number in 0..1, 1 not included, that depends on ``key`` and ``seed`` only."""
    digest = hashlib.sha256(f"{seed}:{key}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def assign(
    images: Images, given: AbstractSet[str], validation_fraction: float, test_fraction: float, seed: int
) -> Iterator[Assignment]:
    """What each image means, in the order given.

    Args:
        images: in any order.
        given: the splits that their photos were given, "" for those that were given none.

    Raises:
        UserError: the same bytes in two given splits or two groups, a group in two given splits; at the end: fewer
            than two classes, or a class that is missing from a split.

    """
    # Photos that come in train and test folders only still need images to choose the epoch by.
    carve_validation = any(given) and "validation" not in given
    first_of_group: dict[str, Photo] = {}
    counts: Counter[tuple[str, str]] = Counter()
    any_drawn = False
    for hash_, photos in images:
        said, group, label = _agreed(photos, "split"), _agreed(photos, "group"), photos[0].label
        if group:
            _check_group(group, photos[0]._replace(split=said), first_of_group)
        place, split = draw(group or hash_, seed), said  # a group's images are drawn together
        if not split:
            any_drawn = True
            split = "test" if place < test_fraction else "train"
            place -= test_fraction
        if split == "train" and place < validation_fraction and (carve_validation or not said):
            split = "validation"
        counts[label, split] += 1
        yield Assignment(hash_, label, split)
    _check_classes(counts, (test_fraction > 0 and any_drawn) or "test" in given)


def evaluated_split(splits: Iterable[str]) -> str:
    """The split that judges a run: test, or validation where there is no test."""
    return "test" if "test" in splits else "validation"


def _agreed(photos: Sequence[Photo], what: str) -> str:
    """What all files with the same bytes say, where they say anything."""
    if len(photos) == 1:  # as mostly
        return str(getattr(photos[0], what))
    said = {getattr(photo, what): photo.file for photo in photos if getattr(photo, what)}
    if len(said) > 1:
        (one, file), (other, other_file), *_ = sorted(said.items())
        raise UserError(
            f"{file} and {other_file} are the same bytes, but their {what}s are {one!r} and {other!r}. "
            f"An image that trains must not be evaluated: delete one of the two files, or give both one {what}."
        )
    return next(iter(said), "")


def _check_group(group: str, photo: Photo, first: dict[str, Photo]) -> None:
    """Whether the first photo of an image is in the split of its group; ``first`` remembers that of each group."""
    other = first.setdefault(group, photo)
    if photo.split != other.split:
        raise UserError(
            f"group {group!r} is in two splits: {other.file} in {other.split or 'none'} and "
            f"{photo.file} in {photo.split or 'none'}. Give the whole group one split."
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
