"""Whether rows of another environment are what this one computes: a sample of them is computed anew.

Without this look an upgrade would either cost all rows or mix rows of two kinds.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, find, in_hex, packed
from onepass.engines import BATCH, Forward, infer
from onepass.features.row_index import RowIndex
from onepass.features.rows import as_stored
from onepass.features.versions import Environment, Record, joined
from onepass.params import VersionsRule
from onepass.photos import LocatedView, PixelReader

SAMPLE = 64  # rows
CANDIDATES = 1024  # rows, of which those are taken whose photos are at hand: not all photos of a team need be
# Of the largest absolute feature of the sample. MobileNet in float32: TensorFlow 2.20 and 2.21 give the same bits, with
# and without oneDNN they differ by 7e-6, TensorFlow and OpenVINO by 4e-6. Rounding to bfloat16 moves features by 4e-3.
CLOSE = 1e-4


class Source(NamedTuple):
    """Rows that an earlier run computed."""

    record: Record
    rows: int
    candidates: NDArray[np.int64]  # the first places of their keys in the index, from which a sample is taken


class Agreement(NamedTuple):
    """How stored rows and the same rows computed anew compare."""

    rows: int
    same_bits: bool
    deviation: float  # the largest one of a feature, beyond what the storage rounds
    largest: float  # absolute feature
    seconds: float  # that computing took

    @property
    def is_close(self) -> bool:
        """Whether the rows may stand beside those that are computed here; not where a feature is no number."""
        return self.deviation <= CLOSE * self.largest


@dataclass(frozen=True)
class Check:
    """Looks at stored rows before others are computed beside them."""

    index: RowIndex
    locate: Callable[[NDArray[np.bool_]], Iterator[LocatedView]]  # the views of the chosen keys of the index
    photos: PixelReader
    forward: Callable[[], Forward]
    here: Environment
    rule: VersionsRule

    def record_of(self, sources: list[Source], computed: int) -> Record:
        """The record of these rows together with as many that will be computed here.

        Rows that stay by themselves are not checked: nothing stands beside them.

        Raises:
            UserError: rows of another environment do not agree, or cannot be checked.

        """
        record = joined(source.record for source in sources)
        unsure = [source for source in sources if not source.record.covers(self.here, self.rule)]
        if unsure and not computed and len(sources) == 1:
            return record
        all_rows = computed + sum(source.rows for source in unsure)
        same_bits = [self._agrees(source, all_rows) for source in unsure]
        return joined([record, Record(environments=[self.here], same_bits=all(same_bits))])

    def _agrees(self, source: Source, all_rows: int) -> bool:
        """Whether the rows are the same to the last bit; says so, or that they are close."""
        sample = list(islice(self._at_hand(source), SAMPLE))
        known = source.record.differences(self.here)
        if not sample:
            raise UserError(
                f"The {source.rows} stored rows were computed with {known}. Whether rows that are computed here "
                "may stand beside them cannot be seen: none of their photos is on this machine. Bring some of them "
                "(`dvc pull`), or use what they were computed with. `dvc checkout` brings back the stored features."
            )
        found = compare(sample, self.index, self.photos, self.forward())
        about = f"{found.rows} of {source.rows} stored rows, computed anew,"
        if found.same_bits:
            print(f"{about} are the same to the last bit. They were computed with {known}.", flush=True)
        elif found.is_close and self.rule == "close":
            ratio = found.deviation / (found.largest or 1)
            outcome = f"differ by at most {ratio:.1g} of the largest feature: they stay"
            print(f"{about} {outcome}. They were computed with {known}.", flush=True)
        else:
            raise UserError(f"{about} {self._refusal(found, known, all_rows)}")
        return found.same_bits

    def _at_hand(self, source: Source) -> Iterator[LocatedView]:
        """The views of the rows with the smallest keys whose photos are on this machine."""
        chosen = np.zeros(len(self.index.keys), bool)
        chosen[source.candidates] = True
        located = {view.view.key: view for view in self.locate(chosen)}
        for key in map(in_hex, self.index.keys[source.candidates]):
            if self.photos.has(located[key]):
                yield located[key]

    def _refusal(self, found: Agreement, known: str, all_rows: int) -> str:
        minutes = max(round(all_rows * found.seconds / found.rows / 60), 1)
        close = "set backbone.versions: close, with which they stay; " if found.is_close else ""
        allowed = f"{CLOSE:g} of that" if self.rule == "close" else f"none, with backbone.versions: {self.rule}"
        return (
            f"differ by up to {found.deviation:.2g}, where the largest feature is {found.largest:.3g}; allowed: "
            f"{allowed}. They were computed with {known}. Nothing was computed, so that rows of two kinds are not "
            f"mixed. Use what they were computed with; {close}or set backbone.versions: renew, which computes all "
            f"{all_rows} rows anew here, in about {minutes} min. `dvc checkout` brings back the stored "
            "features."
        )


def compare(sample: list[LocatedView], index: RowIndex, photos: PixelReader, forward: Forward) -> Agreement:
    """Computes these rows anew, and compares them with those of the index."""
    start = time.perf_counter()
    same, deviation, largest = True, np.float64(0), np.float64(0)
    for some, features in infer(sample, photos.pixels, photos.shape, forward, BATCH):
        places = find(index.keys, packed(located.view.key for located in some)).tolist()
        rounded = as_stored(features, index.row_type["features"].base, [located.file for located in some])
        for place, fresh, ours in zip(places, features, rounded, strict=True):
            stored = index.read(slice(place, place + 1))["features"][0]
            same = same and ours.tobytes() == stored.tobytes()
            # np.maximum, unlike max, lets no NaN pass for a small number.
            deviation = np.maximum(deviation, _deviation(fresh, stored))
            largest = np.maximum(largest, np.abs(stored.astype(np.float64)).max())
    seconds = time.perf_counter() - start
    return Agreement(len(sample), same, float(deviation), float(largest), seconds)


def _deviation(fresh: NDArray[np.generic], stored: NDArray[np.generic]) -> np.float64:
    """The largest difference of a feature; half a step of float16 is no difference, but how it is stored."""
    difference = np.abs(fresh.astype(np.float64) - stored.astype(np.float64))
    if stored.dtype == np.float16:
        difference -= np.spacing(np.abs(stored)).astype(np.float64) / 2
    return np.float64(difference.max())
