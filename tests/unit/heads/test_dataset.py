"""Features that do not fit into memory train the same head, from a file."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import HashList, packed, write_sealed_json
from onepass.features import FINGERPRINT_FILE, Store
from onepass.features.rows import make_rows, pack
from onepass.features.store import by_part
from onepass.heads import dataset as module
from onepass.heads import make_dataset
from onepass.heads.dataset import FeatureFile
from tests.unit.heads.small_heads import blobs, fit

ROWS = 70
Stored = tuple[Store, HashList, NDArray[np.float32]]


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    """A store in ``tmp_path``/features, the keys in an order of their own, and their features."""
    return write_store(tmp_path / "features", "float32")


def write_store(folder: Path, dtype: str) -> Stored:
    keys = [np.random.default_rng(number).bytes(32).hex() for number in range(ROWS)]
    features = blobs([ROWS // 2, ROWS // 2]).features.reshape(ROWS, 2, 2)
    store = Store(ROWS, dtype, [2, 2], {"layer": "x"}, "")
    folder.mkdir()
    write_sealed_json(folder / FINGERPRINT_FILE, store._asdict())
    for name, places in by_part(packed(sorted(keys))):
        members = sorted(keys)[places]
        rows = features[[keys.index(key) for key in members]].astype(dtype)
        (folder / name).write_bytes(pack(make_rows(members, rows, store.key)))
    return store, HashList(packed(keys)), features


@pytest.mark.parametrize("in_memory", [1 << 20, 0], ids=["in memory", "in a file"])
def test_what_is_stored_as_float16_is_read_as_float32(
    in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", in_memory)
    store, keys, features = write_store(tmp_path / "features", "float16")
    data = make_dataset(tmp_path / "features", store, keys, np.zeros(ROWS, np.int64), 1, whole=False)
    assert isinstance(data.features, FeatureFile) is (in_memory == 0)
    found = data.features[np.arange(ROWS)]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, features.astype(np.float16).astype(np.float32))


def test_rows_come_in_the_order_asked_for(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COPIED", 16)
    store, keys, features = stored
    found = FeatureFile(tmp_path / "features", store, keys)
    numbers = np.random.default_rng(0).permutation(ROWS)[:33]
    assert found.shape == features.shape
    np.testing.assert_array_equal(found[numbers], features[numbers])
    np.testing.assert_array_equal(found[np.arange(ROWS)], features)
    np.testing.assert_array_equal(found.through(lambda rows: rows.sum(axis=1))[numbers], features[numbers].sum(axis=1))
    assert [path.name for path in tmp_path.iterdir()] == ["features"]  # nothing is left lying about


def test_only_what_is_too_large_lies_in_a_file_unless_all_of_it_is_needed(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, keys, features = stored

    def made(whole: bool) -> object:
        return make_dataset(tmp_path / "features", store, keys, np.zeros(ROWS, np.int64), 1, whole).features

    np.testing.assert_array_equal(made(whole=False), features)
    monkeypatch.setattr(module, "IN_MEMORY", features.nbytes - 1)
    assert isinstance(made(whole=False), FeatureFile)
    np.testing.assert_array_equal(made(whole=True), features)


def test_every_view_of_an_image_has_its_label_and_its_number(stored: Stored, tmp_path: Path) -> None:
    store, keys, features = stored
    data = make_dataset(tmp_path / "features", store, keys[:6], np.array([1, 0]), 3, whole=False)
    np.testing.assert_array_equal(data.features, features[:6])
    assert data.labels.tolist() == [1, 1, 1, 0, 0, 0]
    assert data.images.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("in_graph", [1 << 20, 16 * 16 * 3], ids=["one piece", "many pieces"])
def test_features_in_a_file_train_the_very_same_head(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_graph: int
) -> None:
    from onepass.heads import graph_trainer

    store, keys, _ = stored
    validation = blobs([20, 20], seed=1)
    data = blobs([ROWS // 2, ROWS // 2])
    expected, _ = fit(data, validation, 1, "mlp", epochs=3)
    monkeypatch.setattr(graph_trainer, "IN_GRAPH", in_graph)
    in_file = data._replace(features=FeatureFile(tmp_path / "features", store, keys))
    found, _ = fit(in_file, validation, 1, "mlp", epochs=3)
    for before, after in zip(expected.weights, found.weights, strict=True):
        np.testing.assert_array_equal(before, after)
