"""splits.csv in memory: what each image means, in 34 bytes an image where a named tuple with its texts takes 250."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from onepass.core import HashList, UserError, find, packed
from onepass.photos.tables import Assignment


class AssignmentTable(Sequence[Assignment]):
    """Rows of splits.csv, sorted by hash, each hash once."""

    def __init__(self, rows: Iterable[Assignment]) -> None:
        """UserError: the rows are not sorted."""
        labels, splits = array("I"), array("B")
        of_label: dict[str, int] = {}
        of_split: dict[str, int] = {}

        def hashes() -> Iterator[str]:
            for row in rows:
                labels.append(of_label.setdefault(row.label, len(of_label)))
                splits.append(of_split.setdefault(row.split, len(of_split)))
                yield row.hash

        self.hashes = HashList(packed(hashes()))
        known = self.hashes.packed
        if (known[1:] <= known[:-1]).any():
            raise UserError("splits.csv is not sorted by hash, as prepare writes it. Run `dvc repro --force prepare`.")
        self._names, self._splits_named = list(of_label), list(of_split)  # in the order in which they were met
        self._labels = np.array(labels, np.min_scalar_type(len(of_label)))
        self._splits = np.frombuffer(splits, np.uint8)

    def __len__(self) -> int:
        return len(self.hashes)

    @overload
    def __getitem__(self, place: int) -> Assignment: ...

    @overload
    def __getitem__(self, place: slice) -> list[Assignment]: ...

    def __getitem__(self, place: int | slice) -> Assignment | list[Assignment]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return Assignment(self.hashes[place], self._names[self._labels[place]], self._splits_named[self._splits[place]])

    def place(self, hash_: str) -> int | None:
        """Where an image stands; None where it does not."""
        place = int(find(self.hashes.packed, packed([hash_]))[0])
        return place if place >= 0 else None

    @property
    def labels(self) -> list[str]:
        """All there are, sorted."""
        return sorted(self._names)

    @property
    def splits(self) -> set[str]:
        """All there are."""
        return set(self._splits_named)

    def are_in(self, split: str) -> NDArray[np.bool_]:
        """Whether each image is in a split: (images,)."""
        if split not in self._splits_named:
            return np.zeros(len(self), bool)
        found: NDArray[np.bool_] = self._splits == self._splits_named.index(split)
        return found

    def numbers(self, classes: Sequence[str], chosen: NDArray[Any] | slice) -> NDArray[np.int64]:
        """For each chosen image, by mask, places or slice, the number of its label among ``classes``, which has all."""
        of_name = np.array([classes.index(name) for name in self._names], np.int64)
        found: NDArray[np.int64] = of_name[self._labels[chosen]]
        return found

    def counts(self, split: str) -> Counter[str]:
        """How many images each label has in a split."""
        found = np.bincount(self._labels[self.are_in(split)], minlength=len(self._names)).tolist()
        return Counter({name: count for name, count in zip(self._names, found, strict=True) if count})
