"""Near-copies across splits are found by the features, and only they."""

import hashlib
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.evaluation import CopySearch, NearCopies, NearCopy
from onepass.evaluation import near_copies as module

VALUES = 256
Rows = dict[str, tuple[str, NDArray[np.float32]]]  # name of an image: its split and its features


def hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def pairs_of(copies: NearCopies) -> list[tuple[str, str]]:
    return [(pair.hash, pair.copy_hash) for pair in copies.pairs]


def found(rows: Rows, piece: int = 1000) -> NearCopies:
    """Of images shown piece by piece in the order of their hashes, which are those of their names."""
    shape = next(iter(rows.values()))[1].shape
    search = CopySearch(shape)
    for wanted, see in (("test", partial(search.evaluated, _chances=np.empty(0))), ("train", search.training)):
        members = sorted((hashed(name), features) for name, (split, features) in rows.items() if split == wanted)
        for start in range(0, len(members), piece):
            hashes, features = zip(*members[start : start + piece], strict=True)
            see(hashes, np.stack(features))
    return search.found()


def images(split: str, count: int, shape: tuple[int, ...] = (VALUES,), seed: int = 0) -> Rows:
    """Unrelated images, as far from 0 as the positive features of a network are."""
    random = np.random.default_rng([seed, len(split)])
    return {f"{split}{n}": (split, (5 + random.normal(size=shape)).astype(np.float32)) for n in range(count)}


def alike(rows: Rows, name: str, cosine: float) -> NDArray[np.float32]:
    """Features with this cosine to those of an image, seen from the mean of the training images."""
    centre = np.mean([features for split, features in rows.values() if split == "train"], axis=0)
    direction = rows[name][1] - centre
    other = np.random.default_rng(9).normal(size=direction.shape)
    other -= (other * direction).sum() / (direction * direction).sum() * direction
    other *= np.linalg.norm(direction) / np.linalg.norm(other)
    return np.asarray(centre + 3 * (cosine * direction + np.sqrt(1 - cosine**2) * other), np.float32)


def test_only_images_beyond_the_threshold_are_copies_and_the_most_alike_comes_first() -> None:
    rows = images("train", 40) | images("test", 20)
    rows["nearly"] = ("test", alike(rows, "train3", 0.955))
    rows["again"] = ("test", alike(rows, "train7", 0.999))
    rows["similar"] = ("test", alike(rows, "train5", 0.945))
    rows["kept apart"] = ("validation", alike(rows, "train9", 0.999))
    again, nearly = (
        NearCopy(0.001, hashed("again"), hashed("train7")),
        NearCopy(0.045, hashed("nearly"), hashed("train3")),
    )
    assert found(rows) == NearCopies(23, [again, nearly])
    assert (again.likeness, nearly.likeness) == ("0.9990", "0.9550")


def test_every_pair_is_found_also_where_an_image_has_several_copies() -> None:
    rows = images("train", 40) | images("test", 20)
    rows["test again"], rows["test and again"] = rows["test0"], rows["test1"]
    rows["train once"] = rows["train twice"] = ("train", rows["test0"][1])
    expected = {(image, copy) for image in ("test0", "test again") for copy in ("train once", "train twice")}
    copies = found(rows)
    assert sorted(pairs_of(copies)) == sorted((hashed(image), hashed(copy)) for image, copy in expected)
    assert copies.images == 2


def test_of_too_many_pairs_each_image_keeps_its_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = images("train", 40) | images("test", 5)
    rows["train once"] = ("train", rows["test0"][1])
    for n in range(5):
        rows[f"test again {n}"] = ("test", rows["train3"][1])
    rows["train again"] = ("train", alike(rows, "train3", 0.97))
    whole = found(rows)
    assert (len(whole.pairs), whole.complete) == (11, True)
    monkeypatch.setattr(module, "MOST_PAIRS", 11)
    assert found(rows) == whole
    monkeypatch.setattr(module, "MOST_PAIRS", 10)
    assert not found(rows).complete
    monkeypatch.setattr(module, "MOST_PAIRS", 0)
    nearest = found(rows)
    assert not nearest.complete
    assert nearest.pairs == [pair for pair in whole.pairs if pair.copy_hash != hashed("train again")]


@pytest.mark.parametrize(("shape", "examined"), [((2, 3, VALUES), 1), ((2, 3, VALUES - 1), 0), ((VALUES - 1,), 0)])
def test_maps_are_pooled_and_few_values_tell_nothing(shape: tuple[int, ...], examined: int) -> None:
    rows = images("train", 9, shape)
    rows["moved"] = ("test", np.flip(rows["train2"][1], axis=0) if len(shape) == 3 else rows["train2"][1])
    pairs = [NearCopy(0.0, hashed("moved"), hashed("train2"))]
    assert found(rows) == NearCopies(examined, pairs if examined else [])


def test_images_without_any_feature_are_copies_of_nothing() -> None:
    nothing: Any = np.zeros(VALUES, np.float32)
    rows = {"train1": ("train", nothing), "train2": ("train", nothing), "test1": ("test", nothing)}
    assert found(rows) == NearCopies(1, [])


def test_work_is_done_in_pieces_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = images("train", 30)
    rows |= {f"copy{n}": ("test", rows[f"train{n}"][1]) for n in range(30)}
    whole = found(rows)
    assert len(whole.pairs) == 30
    monkeypatch.setattr(module, "COMPARED", 7)
    assert {*found(rows).pairs} == {*found(rows, piece=13).pairs} == {*whole.pairs}
    monkeypatch.setattr(module, "MOST_EVALUATED", 10)
    monkeypatch.setattr(module, "MOST_TRAINING", 20)
    capped = found(rows)
    assert capped.examined == 10
    lowest = sorted(hashed(f"train{n}") for n in range(30))[:20]
    assert {pair.copy_hash for pair in capped.pairs} <= {*lowest}
    assert {*found(rows, piece=13).pairs} == {*capped.pairs}
