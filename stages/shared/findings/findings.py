"""What a good colleague would notice in a run: each finding with its evidence and the param to change."""

from collections import Counter
from typing import Any

from stages.shared.findings.finding import Finding
from stages.shared.findings.findings_learning import (
    idle_epochs,
    out_of_balance,
    overfitted,
    small_split,
    still_falling,
    stuck_at_chance,
)
from stages.shared.findings.findings_photos import (
    copies_across_splits,
    foreign_preprocessing,
    grey_images,
    small_images,
)
from stages.shared.findings.near_copies import NearCopies
from stages.shared.findings.photo_facts import PhotoFacts
from stages.shared.params import Train


def findings(
    train: Train,
    metrics: dict[str, Any],
    losses: list[float],
    correct: int,
    labels: Counter[str],
    photos: PhotoFacts,
    fingerprint: dict[str, Any],
    copies: NearCopies,
) -> list[Finding]:
    """All that there is to notice, what explains the most first.

    Args:
        metrics: as in metrics.json.
        losses: validation loss by epoch, nats; fewer than FEWEST_EPOCHS where no epochs were run.
        correct: training images that the kept head has right.
        labels: of the training images.
        photos: of the usable files, and with the names of the most alike copies.
        fingerprint: of the features.

    """
    found = [
        stuck_at_chance(correct, labels, train),
        still_falling(losses, len(labels), train),
        foreign_preprocessing(fingerprint),
        small_images(photos, fingerprint),
        grey_images(photos, fingerprint),
        copies_across_splits(copies, photos, metrics),
        out_of_balance(labels, train),
        overfitted(correct, labels.total(), metrics),
        idle_epochs(losses, metrics, train),
        small_split(metrics),
    ]
    return [finding for finding in found if finding]
