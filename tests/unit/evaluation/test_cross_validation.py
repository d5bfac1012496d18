"""Cross-validation says what a head would say of images that it has not seen."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from onepass.core import UserError, in_hex, packed, write_sealed_json
from onepass.evaluation import predict_left_out
from onepass.evaluation.cross_validation import fold_of_each
from onepass.features import FINGERPRINT_FILE, Store, open_store
from onepass.features.rows import make_rows, pack
from onepass.features.store import by_part
from onepass.photos import Assignment, AssignmentTable
from tests.builders import head_plan

Stored = tuple[Path, list[str]]


def stored(folder: Path, features: NDArray[np.float32]) -> Stored:
    """A store of these features, (images, values), and the hashes of its images, in their order."""
    hashes = [np.random.default_rng(number).bytes(32).hex() for number in range(len(features))]
    store = Store(len(hashes), "float32", list(features.shape[1:]), {"layer": "x"}, "")
    of_hash = dict(zip(hashes, features, strict=True))
    keys = np.sort(packed(hashes))
    folder.mkdir()
    for name, places in by_part(keys):
        some = [in_hex(key) for key in keys[places]]
        (folder / name).write_bytes(pack(make_rows(some, np.stack([of_hash[h] for h in some]), store.key)))
    write_sealed_json(folder / FINGERPRINT_FILE, store._asdict())
    return folder, hashes


def left_out(
    stores: Stored, labels: list[str], groups: list[str] | None = None, kind: str = "logistic"
) -> NDArray[np.float64]:
    folder, hashes = stores
    order = np.argsort(packed(hashes))
    rows = AssignmentTable(Assignment(hashes[place], labels[place], "train") for place in order)
    grouped = [(groups or hashes)[place] for place in order]
    train = {"epochs": 3} if kind != "logistic" else {}
    found = predict_left_out(head_plan(kind, train=train), rows, 1, grouped, folder, open_store(folder), None)
    return found[np.argsort(order)]


def right(probabilities: NDArray[np.float64], labels: list[str]) -> float:
    said = np.array(sorted(set(labels)))[probabilities.argmax(axis=1)]
    return float((said == np.array(labels)).mean())


@pytest.mark.parametrize("kind", ["logistic", "linear"])
def test_no_image_has_a_say_in_how_it_is_judged(tmp_path: Path, kind: str) -> None:
    """Each image has a feature of its own: who has seen it knows its label, and nobody else can."""
    stores = stored(tmp_path / "features", 10 * np.eye(120, dtype=np.float32))
    labels = list(np.random.default_rng(0).permutation(["cats", "dogs"] * 60))
    accuracy = right(left_out(stores, labels, kind=kind), labels)
    assert 0.2 < accuracy < 0.8


def test_what_can_be_learned_is(tmp_path: Path) -> None:
    labels = ["cats", "dogs", "newts"] * 30
    means = {"cats": 0.0, "dogs": 5.0, "newts": 10.0}
    random = np.random.default_rng(0)
    features = np.array([random.normal(means[label], 1, 4) for label in labels], np.float32)
    probabilities = left_out(stored(tmp_path / "features", features), labels)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert right(probabilities, labels) > 0.9


def test_images_of_a_group_do_not_help_each_other(tmp_path: Path) -> None:
    """Pairs share a feature that nobody else has: torn apart by folds, one would tell the label of the other."""
    features = np.repeat(10 * np.eye(60, dtype=np.float32), 2, axis=0)
    labels = [str(label) for label in np.repeat(np.random.default_rng(0).permutation(["cats", "dogs"] * 30), 2)]
    stores = stored(tmp_path / "features", features)
    assert right(left_out(stores, labels), labels) > 0.7  # some pairs are torn apart, and some are not
    assert right(left_out(stores, labels, [str(number // 2) for number in range(120)]), labels) < 0.6


@given(st.lists(st.integers(3, 12), min_size=2, max_size=4), st.integers(0, 2**31 - 1))
def test_every_class_is_in_every_fold(counts: list[int], seed: int) -> None:
    labels = [f"class {number}" for number, count in enumerate(counts) for _ in range(count)]
    folds = fold_of_each(labels, [str(number) for number in range(len(labels))], seed)
    assert folds.max() + 1 == min(5, *counts)
    for label in set(labels):
        of_class = {fold for fold, other in zip(folds.tolist(), labels, strict=True) if other == label}
        assert of_class == set(range(min(5, *counts)))


def test_a_class_with_too_few_images_or_groups_is_told() -> None:
    with pytest.raises(UserError, match=r"newts has 2 images outside the evaluated split\. Add photos of these"):
        fold_of_each(["cats"] * 9 + ["newts"] * 2, [str(number) for number in range(11)], 0)
    with pytest.raises(UserError, match="newts has 9 images outside the evaluated split"):
        fold_of_each(["cats"] * 9 + ["newts"] * 9, [*map(str, range(9)), *["one"] * 9], 0)
