"""What unusable photos mean for the whole: a class of which nothing is left, or too many of them, is no detail.

Each is in quarantine.csv with its reason; but a model without a class, or of the half of the photos that happened to be
readable, would look like any other.
"""

from collections import Counter
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from pathlib import Path

from onepass.core import UserError, listed
from onepass.photos.photo_table import PhotoTable
from onepass.photos.tables import Quarantined


def report_losses(photos: PhotoTable, quarantined: Collection[Quarantined], table: Path) -> None:
    """Prints what a person should know before the counts: empty folders, copies and refusals.

    Args:
        photos: with the content of those that can be used.
        table: quarantine.csv, to be named.

    """
    if photos.empty_folders:
        print(f"without a file, and so no classes:\n{listed(list(photos.empty_folders))}")
    if copies := photos.file_count - photos.image_count:
        print(f"{copies} files are byte-identical copies of others; each image counts once")
    for reason, count in sorted(Counter(row.reason for row in quarantined).items()):
        print(f"quarantined: {count} {reason} (see {table})", flush=True)


def refuse_losses(
    photos: PhotoTable,
    quarantined: Collection[Quarantined],
    most: float,
    table: Path,
    emptied: AbstractSet[str] = frozenset(),
) -> None:
    """Stops where a class is lost, or a larger share of the photos than ``most``.

    Photos are files of a class. What lies elsewhere, or is hidden, is none, and does not count.

    Args:
        photos: with the content of those that can be used.
        most: data.max_quarantined, 0..1.
        table: quarantine.csv, for the message.
        emptied: classes whose photos people have given other labels, or dropped.

    Raises:
        UserError: names each lost class with what its files are; or says how many photos cannot be used, and why.

    """
    reasons = {row.file: row.reason for row in quarantined}
    lost = photos.given_labels - photos.labels - emptied
    count = photos.photo_count
    if not lost and len(reasons) <= most * count:
        return  # as mostly, and without a look at each photo
    of_class: dict[str, Counter[str]] = {label: Counter() for label in sorted(lost)}
    unusable: Counter[str] = Counter()
    for photo in photos:
        if not photo.refused and photo.file in reasons:
            unusable[reasons[photo.file]] += 1
            if photo.label in of_class:
                of_class[photo.label][reasons[photo.file]] += 1
    if of_class:
        lines = [f"{label}: {found.total()} files, {_in_words(found)}" for label, found in of_class.items()]
        raise UserError(
            f"{len(lines)} of {len(photos.given_labels)} classes would be lost, none of their files can be used:\n"
            f"{listed(lines)}\nMend or replace them ({table} has each), or take the class away from data.root.\n"
            f"{_examples(quarantined)}"
        )
    if unusable.total() > most * count:
        raise UserError(
            f"{unusable.total()} of {count} photos cannot be used: {_in_words(unusable)}. Allowed: a share of {most:g} "
            f"(data.max_quarantined). Mend or take away what {table} lists, or allow more if that is as it should be.\n"
            f"{_examples(quarantined)}"
        )


def _in_words(reasons: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def _examples(quarantined: Collection[Quarantined]) -> str:
    """The first of each reason: what is wrong with one is mostly wrong with all."""
    first = {row.reason: row for row in sorted(quarantined, key=lambda row: row.file, reverse=True)}
    return "For example:\n" + listed([f"{row.file}: {reason}, {row.detail}" for reason, row in sorted(first.items())])
