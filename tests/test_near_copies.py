"""Near-copies across splits are found by the features, and only they."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.shared.findings import near_copies as module
from stages.shared.findings.near_copies import NearCopies, near_copies
from stages.shared.hashes import packed
from stages.shared.photos.tables import Assignment
from stages.shared.store.features import Store, by_part, make_rows, pack

VALUES = 256
Rows = dict[str, tuple[str, NDArray[np.float32]]]  # name of an image: its split and its features


def hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def found(rows: Rows, folder: Path) -> NearCopies:
    """Of images whose features stand in a store; their hashes are those of their names."""
    shape = next(iter(rows.values()))[1].shape
    store = Store(len(rows), "float32", list(shape), {"network": "any"}, "")
    by_hash = {hashed(name): features for name, (_, features) in rows.items()}
    hashes = sorted(by_hash)
    for name, places in by_part(packed(hashes)):
        members = hashes[places]
        features = np.stack([by_hash[hash_] for hash_ in members])
        (folder / name).write_bytes(pack(make_rows(members, features, store.key)))
    return near_copies(
        folder, store, [Assignment(hashed(name), "any", split) for name, (split, _) in rows.items()], "test"
    )


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


def test_only_images_beyond_the_threshold_are_near_copies_and_the_most_alike_comes_first(tmp_path: Path) -> None:
    rows = images("train", 40) | images("test", 20)
    rows["nearly"] = ("test", alike(rows, "train3", 0.955))
    rows["again"] = ("test", alike(rows, "train7", 0.999))
    rows["similar"] = ("test", alike(rows, "train5", 0.945))
    rows["kept apart"] = ("validation", alike(rows, "train9", 0.999))
    pairs = [(hashed("again"), hashed("train7")), (hashed("nearly"), hashed("train3"))]
    assert found(rows, tmp_path) == NearCopies(23, pairs)


@pytest.mark.parametrize(("shape", "examined"), [((2, 3, VALUES), 1), ((2, 3, VALUES - 1), 0), ((VALUES - 1,), 0)])
def test_maps_are_pooled_and_few_values_tell_nothing(shape: tuple[int, ...], examined: int, tmp_path: Path) -> None:
    rows = images("train", 9, shape)
    rows["moved"] = ("test", np.flip(rows["train2"][1], axis=0) if len(shape) == 3 else rows["train2"][1])
    pairs = [(hashed("moved"), hashed("train2"))]
    assert found(rows, tmp_path) == NearCopies(examined, pairs if examined else [])


def test_images_without_any_feature_are_copies_of_nothing(tmp_path: Path) -> None:
    nothing: Any = np.zeros(VALUES, np.float32)
    rows = {"train1": ("train", nothing), "train2": ("train", nothing), "test1": ("test", nothing)}
    assert found(rows, tmp_path) == NearCopies(1, [])


def test_work_is_done_in_chunks_and_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = images("train", 30)
    rows |= {f"copy{n}": ("test", rows[f"train{n}"][1]) for n in range(30)}
    whole = found(rows, tmp_path)
    assert len(whole.pairs) == 30
    monkeypatch.setattr(module, "CHUNK", 7)
    assert {*found(rows, tmp_path).pairs} == {*whole.pairs}
    monkeypatch.setattr(module, "MOST_EVALUATED", 10)
    monkeypatch.setattr(module, "MOST_TRAINING", 20)
    capped = found(rows, tmp_path)
    assert capped.examined == 10
    lowest = sorted(hashed(f"train{n}") for n in range(30))[:20]
    assert {of for _, of in capped.pairs} <= {*lowest}
