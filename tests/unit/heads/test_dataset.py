"""Features that do not fit into memory train the same head, from a file."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from stages.shared.head import streamed
from tests.test_training import blobs, run

from onepass.core import packed, write_json
from onepass.features import FINGERPRINT_FILE, Store
from onepass.features.rows import make_rows, pack
from onepass.features.store import by_part
from onepass.heads.dataset import LOAD_FEATURES_TODO, FeatureFile, transformed

ROWS = 70


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Store, list[str], NDArray[np.float32]]:
    """A store in ``tmp_path``/features, the keys in an order of their own, and their features."""
    keys = [np.random.default_rng(number).bytes(32).hex() for number in range(ROWS)]
    features = blobs([ROWS // 2, ROWS // 2]).features.reshape(ROWS, 2, 2)
    store = Store(ROWS, "float32", [2, 2], {"layer": "x"}, "")
    folder = tmp_path / "features"
    folder.mkdir()
    write_json(folder / FINGERPRINT_FILE, store._asdict())
    for name, places in by_part(packed(sorted(keys))):
        members = sorted(keys)[places]
        rows = features[[keys.index(key) for key in members]]
        (folder / name).write_bytes(pack(make_rows(members, rows, store.key)))
    return store, keys, features


def test_rows_come_in_the_order_asked_for(
    stored: tuple[Store, list[str], NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed, "CHUNK", 16)
    store, keys, features = stored
    found = FeatureFile(tmp_path / "features", store, keys)
    numbers = np.random.default_rng(0).permutation(ROWS)[:33]
    assert found.shape == features.shape
    np.testing.assert_array_equal(found[numbers], features[numbers])
    np.testing.assert_array_equal(found.through(lambda rows: rows.sum(axis=1))[numbers], features[numbers].sum(axis=1))
    assert [path.name for path in tmp_path.iterdir()] == ["features"]  # nothing is left lying about


def test_only_what_is_too_large_is_streamed_unless_all_of_it_is_needed(
    stored: tuple[Store, list[str], NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, keys, features = stored
    folder = tmp_path / "features"
    np.testing.assert_array_equal(LOAD_FEATURES_TODO(folder, store, keys, whole=False), features)
    monkeypatch.setattr(streamed, "IN_MEMORY", features.nbytes - 1)
    assert isinstance(LOAD_FEATURES_TODO(folder, store, keys, whole=False), FeatureFile)
    np.testing.assert_array_equal(LOAD_FEATURES_TODO(folder, store, keys, whole=True), features)


@pytest.mark.parametrize("pieces", [1 << 20, 16 * 16 * 3], ids=["one piece", "many pieces"])
def test_streamed_features_train_the_very_same_head(
    stored: tuple[Store, list[str], NDArray[np.float32]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pieces: int,
) -> None:
    from stages.shared.head import stepping

    store, keys, _ = stored
    validation = blobs([20, 20], seed=1)
    data = blobs([ROWS // 2, ROWS // 2])
    expected, _ = run(data, validation, 1, {"kind": "mlp"}, epochs=3)
    monkeypatch.setattr(stepping, "CHUNK", pieces)
    flat = transformed(FeatureFile(tmp_path / "features", store, keys), lambda rows: rows.reshape(len(rows), -1))
    found, _ = run(data._replace(features=flat), validation, 1, {"kind": "mlp"}, epochs=3)
    for before, after in zip(expected.weights, found.weights, strict=True):
        np.testing.assert_array_equal(before, after)
