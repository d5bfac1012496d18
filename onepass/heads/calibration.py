"""When a head should say "I don't know": limits that are chosen on photos of one's own that trained nothing.

Those are the validation photos. In heads that are trained epoch by epoch they also chose the epoch, so that what they
promise is a little too good there.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import HashList
from onepass.features import Store, read_features
from onepass.heads.familiarity import places_of_prototypes, root_directions
from onepass.heads.inference import predictor
from onepass.heads.limits import Limits
from onepass.heads.temperature import best_temperature
from onepass.heads.trained_head import TrainedHead
from onepass.photos import AssignmentTable

IMAGES = 1 << 14  # validation photos that are looked at, at most, and
NUMBERS = 1 << 22  # probabilities of theirs
HELD = 0.95  # the share of photos whose label is in their set
UNFAMILIAR = 0.75  # of the photos that are refused
MARGIN = 1e-4  # beyond the last photo that is not refused, where none is: engines differ in the last digits


class Own(NamedTuple):
    """What a head says of photos of one's own that trained nothing."""

    labels: NDArray[np.int64]  # (images,)
    probabilities: NDArray[np.float64]  # (images, classes)
    distances: NDArray[np.float64]  # (images,), from the prototypes


def calibrated(head: TrainedHead, rows: AssignmentTable, folder: Path, store: Store, refuse: float) -> TrainedHead:
    """The head with a temperature, unless its kind has chosen one, prototypes, and limits.

    Args:
        rows: of splits.csv.
        folder: of the store.
        refuse: the share of one's own photos that may be refused.

    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    training = np.flatnonzero(rows.are_in("train"))
    chosen = training[places_of_prototypes(rows.numbers(head.classes, training), store.shape[-1])]
    prototypes = root_directions(read_features(folder, store, HashList(rows.hashes.packed[chosen])))
    head = head._replace(prototypes=prototypes)
    with threadpool_limits(1):  # for the same bytes on any number of cores
        own = _said_of_validation(head, rows, folder, store)
    if head.temperature is None:
        logits = np.log(np.maximum(own.probabilities, np.finfo(float).tiny))
        temperature = best_temperature(logits, own.labels)
        head, own = head.at_temperature(temperature), own._replace(probabilities=_softened(logits, temperature))
    return head._replace(limits=limits_of(own, refuse))


def limits_of(own: Own, refuse: float) -> Limits:
    """Limits beyond which at most the share ``refuse`` of these photos lies, by one or by the other of them.

    Most of that share goes to photos that are unlike those that trained: what is said of a stranger is wrong for
    certain, and often with a high probability, while that of an unsure answer stands beside it.
    """
    sure, near = np.sort(own.probabilities.max(axis=1)), np.sort(-own.distances)
    images = len(sure)
    allowed = int(refuse * images + 1e-9)
    low, high = 0, 2 * allowed  # photos that both limits refuse, of which some are the same
    while low < high:
        middle = (low + high + 1) // 2
        unfamiliar = ceil(UNFAMILIAR * middle)
        refused = (-own.distances < _lowest(near, unfamiliar)) | (
            own.probabilities.max(axis=1) < _lowest(sure, middle - unfamiliar)
        )
        low, high = (middle, high) if refused.sum() <= allowed else (low, middle - 1)
    unfamiliar = ceil(UNFAMILIAR * low)
    return Limits(
        refuse=refuse,
        images=images,
        sure=_lowest(sure, low - unfamiliar),
        familiar=-_lowest(near, unfamiliar),
        in_set=least_in_set(own),
    )


def least_in_set(own: Own) -> float | None:
    """The least probability of a class in the set of a photo, so that the set holds the label of ``HELD`` of photos.

    Split conformal prediction with the probability of the label as the score (Sadinle, Lei and Wasserman, "Least
    Ambiguous Set-Valued Classifiers with Bounded Error Levels", JASA 2019, arXiv 1609.00451). It holds on average over
    photos that are drawn as these were, not for each class, nor for photos of something else.

    Returns:
        None: there are too few photos to promise so much, fewer than 19.

    """
    of_label = np.sort(own.probabilities[np.arange(len(own.labels)), own.labels])
    place = ceil((len(of_label) + 1) * HELD - 1e-9)
    return float(of_label[len(of_label) - place]) if place <= len(of_label) else None


def _lowest(ordered: NDArray[np.float64], number: int) -> float:
    """A limit between the ``number`` lowest values and the next: no other digits decide on which side one is."""
    return float(ordered[number - 1 : number + 1].mean()) if number else float(ordered[0]) - MARGIN


def _softened(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    from scipy.special import softmax  # noqa: PLC0415 - costs 0.1 s

    return np.asarray(softmax(logits / temperature, axis=1))


def _said_of_validation(head: TrainedHead, rows: AssignmentTable, folder: Path, store: Store) -> Own:
    """Of those with the smallest hashes, which is a draw by lot."""
    most = min(IMAGES, max(NUMBERS // len(head.classes), 1000))
    places = np.flatnonzero(rows.are_in("validation"))[:most]
    far: list[NDArray[np.float32]] = []

    def measure(_: Sequence[str], features: NDArray[np.float32], _chances: NDArray[np.float64]) -> None:
        far.append(head.distances(features))

    probabilities = predictor(head, folder, store)(HashList(rows.hashes.packed[places]), measure)
    return Own(rows.numbers(head.classes, places), probabilities, np.concatenate(far).astype(np.float64))
