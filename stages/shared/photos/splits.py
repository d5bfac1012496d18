"""Which images train, which choose the epoch, and which only evaluate sees.

An image's split is a function of its content (or its group) and the seed alone, so that adding images
moves no old one. That rules out stratifying; whether every class is everywhere is checked instead.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from stages.shared.errors import UserError, listed
from stages.shared.photos.layouts import Photo
from stages.shared.photos.tables import Assignment


def draw(key: str, seed: int) -> float:
    """A number in 0..1, 1 not included, that depends on ``key`` and ``seed`` only."""
    digest = hashlib.sha256(f"{seed}:{key}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def assign(
    photos_by_hash: Mapping[str, Sequence[Photo]],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> list[Assignment]:
    """One row an image, sorted by hash.

    Args:
        photos_by_hash: for each content hash its files, all with one label.

    Raises:
        UserError: the same bytes in two given splits or two groups, a group in two given splits, fewer
            than two classes, or a class that is missing from a split.

    """
    given = {hash_: _agreed(photos, "split") for hash_, photos in photos_by_hash.items()}
    group = {hash_: _agreed(photos, "group") for hash_, photos in photos_by_hash.items()}
    _check_groups(given, group, photos_by_hash)
    # Photos that come in train and test folders only still need images to choose the epoch by.
    carve_validation = any(given.values()) and "validation" not in given.values()
    rows = []
    for hash_, photos in sorted(photos_by_hash.items()):
        place = draw(group[hash_] or hash_, seed)
        split = given[hash_]
        if not split:
            split = "test" if place < test_fraction else "train"
            place -= test_fraction
        if split == "train" and place < validation_fraction and (carve_validation or not given[hash_]):
            split = "validation"
        rows.append(Assignment(hash_, photos[0].label, split))
    needs_test = test_fraction > 0 and not all(given.values())
    _check_classes(rows, needs_test or "test" in given.values())
    return rows


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


def _check_groups(
    given: Mapping[str, str], group: Mapping[str, str], photos_by_hash: Mapping[str, Sequence[Photo]]
) -> None:
    first: dict[str, tuple[str, str]] = {}
    for hash_ in sorted(given):
        if not group[hash_]:
            continue
        split, file = first.setdefault(group[hash_], (given[hash_], photos_by_hash[hash_][0].file))
        if split != given[hash_]:
            raise UserError(
                f"group {group[hash_]!r} is in two splits: {file} in {split or 'none'} and "
                f"{photos_by_hash[hash_][0].file} in {given[hash_] or 'none'}. Give the whole group one split."
            )


def _check_classes(rows: Sequence[Assignment], needs_test: bool) -> None:
    labels = Counter(row.label for row in rows)
    if len(labels) < 2:
        raise UserError(
            f"Found {len(rows)} usable images in {len(labels)} classes ({', '.join(labels) or 'none'}); expected at "
            "least two classes. data.root holds a folder a class, or split folders with those inside."
        )
    present = {(row.label, row.split) for row in rows}
    expected = ["train", "validation", "test"] if needs_test else ["train", "validation"]
    problems = [
        f"{label} ({labels[label]} images) has none in {split}"
        for label in sorted(labels)
        for split in expected
        if (label, split) not in present
    ]
    if problems:
        raise UserError(
            f"Every class needs images in every split:\n{listed(problems)}\n"
            "Add images of these classes, raise the split's fraction, or try another split.seed."
        )
