"""Few photos that stand for many: each next one is that which the others are most like, beyond those chosen already.

Facility location, as Wei, Iyer and Bilmes use it ("Submodularity in Data Subset Selection and Active Learning", ICML
2015): typical photos come first, and those of another kind than what is labelled before any second one of a kind. On
cats and dogs and on three materials 20 and 100 labels chosen so teach more than as many chosen by chance, and no less
than those of TypiClust (Hacohen, Dekel and Weinshall, ICML 2022, arXiv 2202.02794), which needs another number of
clusters for each number of photos; here the first twenty of a hundred are those that twenty alone would be.
"""

import heapq

import numpy as np
from numpy.typing import NDArray


def representatives(
    similar: NDArray[np.float32],
    count: int,
    covered: NDArray[np.float32] | None = None,
    weights: NDArray[np.float32] | None = None,
    alike: float = np.inf,
) -> list[int]:
    """The photos to choose, the first first; fewer than ``count`` where the others are copies.

    Args:
        similar: of each photo to each, (photos, photos), symmetric, -1..1.
        covered: of each photo to the most similar that needs no choosing, (photos,); None: there is none.
        weights: how much each photo is worth to be stood for, (photos,); None: all the same.
        alike: a photo that is as similar to one that is chosen is not chosen.

    """
    photos = len(similar)
    covered = np.full(photos, -1, np.float32) if covered is None else covered.copy()
    weights = np.ones(photos, np.float32) if weights is None else weights
    left = covered < alike

    def gain(number: int) -> float:
        return float(weights @ np.maximum(similar[number] - covered, 0))

    # What a photo adds never grows, so that one whose old value is not the highest need not be looked at again.
    candidates = [(-gain(number), number) for number in np.flatnonzero(left).tolist()]
    heapq.heapify(candidates)
    chosen: list[int] = []
    while candidates and len(chosen) < count:
        _, number = heapq.heappop(candidates)
        if not left[number]:
            continue
        now = -gain(number)
        if candidates and now > candidates[0][0]:
            heapq.heappush(candidates, (now, number))
            continue
        chosen.append(number)
        covered = np.maximum(covered, similar[number])
        left &= similar[number] < alike
        left[number] = False
    return chosen
