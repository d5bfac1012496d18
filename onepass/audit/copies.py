"""Photos that show the same: saved again, resized, mirrored, cut, or the next shot of the same thing.

Features say which photos may be copies of each other; between sure and out of the question, the pixels decide.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onepass.audit.neighbours import Neighbours, nearest
from onepass.core import progress_bar
from onepass.evaluation import ALIKE, FEWEST_VALUES

# Below this cosine no two photos are looked at. Features of MobileNet: 40 photos of cats and dogs that were resized by
# half, mirrored or cut by a tenth have 0.82 to 0.99 with the original; of 2,800 others 65 pairs have more than 0.75.
POSSIBLE = 0.75
# Largest correlation of two photos' pixels at which they are not the same: those 120 have 0.99 and more, of those 65
# pairs the two that are copies do, and the others have at most 0.76.
SAME = 0.9
# Tiny photos lose so much when they are resized that their features change, but not what they look like from afar.
SAME_FROM_AFAR = 0.97  # correlation of two signatures
SIGNED = 16  # areas a side of a signature
SIDE = 32  # to which photos are resized to be compared
READ = 72  # pixels a side that are read of a photo
MARGINS = (0.0, 1.8, 3.6, 5.4, 7.2)  # of those 72, that one of two photos may lack on each side
KEPT = 4096  # photos whose pixels are in memory
DECIMALS = 4


class Copies(NamedTuple):
    """Two photos that show the same."""

    first: int
    second: int  # the larger number
    likeness: float  # cosine of their features, rounded: the last bits are the processor's


def signature(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a photo looks like from afar: (SIGNED * SIGNED,) means of brightness, from their mean, of length 1.

    Args:
        pixels: RGB, square, the side a multiple of SIGNED.

    """
    area = len(pixels) // SIGNED
    grey = pixels.mean(axis=2, dtype=np.float64).reshape(SIGNED, area, SIGNED, area).mean(axis=(1, 3))
    away = (grey - grey.mean()).ravel()
    return np.asarray(away / max(float(np.linalg.norm(away)), 1e-9), np.float32)


def find_copies(
    vectors: NDArray[np.float32],
    neighbours: Neighbours,
    signatures: NDArray[np.float32],
    pixels: Callable[[int], NDArray[np.uint8]],
) -> list[Copies]:
    """All pairs among the neighbours of each photo, sorted.

    Args:
        vectors: directions of the features, (photos, values); with few values all photos are alike, and none is called
            a copy.
        neighbours: by those.
        signatures: of each photo.
        pixels: gives those of a photo, uint8 (READ, READ, 3).

    """
    if vectors.shape[1] < FEWEST_VALUES:
        return []
    grey = lru_cache(KEPT)(lambda number: Image.fromarray(pixels(number)).convert("L"))
    pairs = _pairs(neighbours, POSSIBLE) | _pairs(nearest(signatures), SAME_FROM_AFAR)
    found = []
    with progress_bar(len(pairs), "copies", "pairs") as bar:
        for first, second in sorted(pairs):
            bar.update()
            likeness = round(float(vectors[first] @ vectors[second]), DECIMALS)
            if likeness >= ALIKE or same_pixels(grey(first), grey(second)) >= SAME:
                found.append(Copies(first, second, likeness))
    return found


def _pairs(neighbours: Neighbours, least: float) -> set[tuple[int, int]]:
    """Photos and those of their neighbours that are as alike as that, the smaller number first."""
    numbers, ranks = np.nonzero(neighbours.cosines >= least)
    others = neighbours.places[numbers, ranks]
    return set(zip(np.minimum(numbers, others).tolist(), np.maximum(numbers, others).tolist(), strict=True))


def same_pixels(one: Image.Image, other: Image.Image) -> float:
    """The largest correlation, -1..1, of two grey photos of READ pixels a side, also mirrored or cut."""
    best = -1.0
    for cut, whole in ((one, other), (other, one)):
        target = _normalised(whole, 0)
        for margin in MARGINS:
            piece = _normalised(cut, margin)
            best = max(best, float((piece * target).sum()), float((piece * target[:, ::-1]).sum()))
    return best


def _normalised(photo: Image.Image, margin: float) -> NDArray[np.float64]:
    box = (margin, margin, photo.width - margin, photo.height - margin)
    small = np.asarray(photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box), np.float64)
    small = small - small.mean()
    return np.asarray(small / max(float(np.sqrt((small**2).sum())), 1e-9))


def groups_of(pairs: Sequence[tuple[int, int]], given: Sequence[str]) -> list[NDArray[np.intp]]:
    """The photos of each group of two or more: of the same given group, or copies of each other, directly or not.

    Args:
        pairs: numbers of photos that belong together.
        given: the group of each photo; empty where it has none.

    """
    parent = np.arange(len(given))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = int(parent[number])
        return number

    first: dict[str, int] = {}
    same = [(first.setdefault(name, number), number) for number, name in enumerate(given) if name]
    for one, other in (*same, *pairs):
        parent[max(root(one), root(other))] = min(root(one), root(other))
    roots = np.array([root(number) for number in range(len(given))], np.intp)
    order = np.argsort(roots, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(roots[order])) + 1) if len(order) else []
    return [group for group in members if len(group) > 1]
