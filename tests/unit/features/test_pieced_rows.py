"""Rows of a list of layers that other stores have all pieces of are put together, to the bit, and only those."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from onepass.core import packed
from onepass.features import Store
from onepass.features.pieced_rows import pieced_together, previous_pieces
from onepass.features.pool import Pool, folder_of, name_of
from onepass.features.reuse import find_rows
from onepass.features.row_index import RowIndex
from onepass.features.rows import make_rows
from onepass.features.side_by_side import pieces, side_by_side
from onepass.features.versions import Environment, Record
from tests.unit.features.test_pool import HERE, NAMES

OTHER = {"processor": "slide rule", "pillow": "1.0"}
WIDTHS = {"a": 2, "b": 3, "c": 4}


def single(layer: str, **changes: Any) -> Store:
    fingerprint = {"layer": layer, "network": f"digest of {layer}", "pooling": "avg", **changes}
    return Store(len(NAMES), "float32", [WIDTHS[layer]], fingerprint, "")


def store_of(layers: str) -> Store:
    return side_by_side([single(layer) for layer in layers])


def features_of(layers: str) -> NDArray[np.float32]:
    """Of all names: which layer, which photo, which value."""
    number = np.arange(len(NAMES), dtype=np.float32)[:, None] * 100
    columns = [number + 10 * "abc".index(layer) + np.arange(WIDTHS[layer]) for layer in layers]
    return np.concatenate(columns, axis=1).astype(np.float32)


def keep(
    machine: Path, layers: str, names: list[str] = NAMES, environment: Environment = HERE, store: Store | None = None
) -> Pool:
    """Rows as a run before has left them."""
    store = store or store_of(layers)
    pool = Pool(folder_of(machine, store.key) / name_of(environment), store, RowIndex(packed(names), store.row_type))
    pool.begin(Record(environments=[environment]))
    features = features_of(layers)[[NAMES.index(name) for name in names]]
    for start in range(0, len(names), 16):
        pool.add(make_rows(names[start : start + 16], features[start : start + 16], store.key))
    return pool


def found(machine: Path, layers: str, rule: str = "close") -> tuple[RowIndex, list[Environment]]:
    """What can be had without a network, and who computed it."""
    store = store_of(layers)
    index = RowIndex(packed(NAMES), store.row_type)
    pieced = pieced_together(index, store, None, machine, HERE, [])
    sources = find_rows(index, pieced, HERE, rule)  # type: ignore[arg-type]
    return index, [environment for source in sources for environment in source.record.environments]


def assert_found(machine: Path, layers: str, names: list[str] = NAMES) -> None:
    index, _ = found(machine, layers)
    there = ~index.missing()
    assert [name for name, is_there in zip(NAMES, there, strict=True) if is_there] == names
    if names:
        rows = index.read(np.flatnonzero(there))
        np.testing.assert_array_equal(rows["features"], features_of(layers)[there])


def test_a_list_is_put_together_from_single_layers_and_from_other_lists(tmp_path: Path) -> None:
    keep(tmp_path, "ab")
    keep(tmp_path, "c")
    for layers in ("ca", "abc", "b"):
        assert_found(tmp_path, layers)


def test_rows_lack_where_one_of_their_pieces_does(tmp_path: Path) -> None:
    keep(tmp_path, "ab", NAMES[:60])
    keep(tmp_path, "bc", NAMES[40:])
    assert_found(tmp_path, "ac", NAMES[40:60])
    assert_found(tmp_path, "b")


def test_what_was_put_together_stays_in_a_pool_of_its_own(tmp_path: Path) -> None:
    kept = [keep(tmp_path, layers) for layers in ("ab", "c")]
    assert_found(tmp_path, "ca")
    for pool in kept:
        for chunk in pool.folder.glob("*.npy"):
            chunk.unlink()
    store = store_of("ca")
    index = RowIndex(packed(NAMES), store.row_type)
    Pool(folder_of(tmp_path, store.key) / name_of(HERE), store, index).find()
    assert not index.missing().any()


def test_rows_of_two_environments_are_never_pieces_of_one(tmp_path: Path) -> None:
    keep(tmp_path, "ab")
    keep(tmp_path, "c", environment=OTHER)
    assert_found(tmp_path, "ac", [])
    keep(tmp_path, "a", environment=OTHER)
    _, environments = found(tmp_path, "ac")
    assert environments == [OTHER]  # whose rows are looked at before others are computed beside them
    keep(tmp_path, "b", environment=OTHER)
    assert found(tmp_path, "cb", rule="renew")[1] == []


def test_another_network_under_the_same_name_gives_no_piece(tmp_path: Path) -> None:
    keep(tmp_path, "a")
    keep(tmp_path, "c", store=single("c", network="of other weights"))
    assert_found(tmp_path, "ac", [])


def test_a_damaged_row_is_no_piece(tmp_path: Path) -> None:
    keep(tmp_path, "a")
    pool = keep(tmp_path, "c")
    chunk = min(pool.folder.glob("*.npy"))
    content = bytearray(chunk.read_bytes())
    content[-3] ^= 1
    chunk.write_bytes(content)
    index, _ = found(tmp_path, "ac")
    assert index.missing().sum() in (16, len(NAMES) % 16)


@pytest.mark.parametrize("same_bits", [True, False])
def test_the_previous_output_counts_where_it_is_known_who_computed_it(
    same_bits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(environments=[HERE, OTHER], same_bits=same_bits)
    monkeypatch.setattr("onepass.features.pieced_rows.previous_record", lambda *_: record)
    others = list(previous_pieces(None, tmp_path, store_of("ab"), HERE))
    assert [(other.store, other.environment) for other in others] == ([(store_of("ab"), HERE)] if same_bits else [])
    assert list(previous_pieces(None, tmp_path, None, HERE)) == []


@given(st.lists(st.permutations("abc").map("".join), max_size=3), st.data())
def test_only_a_list_with_a_layer_that_is_nowhere_is_computed(
    tmp_path_factory: pytest.TempPathFactory, orders: list[str], data: st.DataObject
) -> None:
    machine = tmp_path_factory.mktemp("machine")
    kept = [order[: data.draw(st.integers(1, 3))] for order in orders]
    wanted = "".join(data.draw(st.permutations("abc")))[: data.draw(st.integers(1, 3))]
    for layers in set(kept) - {wanted}:
        keep(machine, layers)
    there = set(wanted) <= {layer for layers in kept if layers != wanted for layer in layers}
    assert_found(machine, wanted, NAMES if there else [])


DAMAGED: list[dict[str, Any]] = [
    {"widths": [2, 2]},
    {"widths": [2]},
    {"widths": "23"},
    {"network": "one"},
    {"widths": None},
    {"layer": ["a", "b", "c"]},
]


@pytest.mark.parametrize("change", DAMAGED, ids=str)
def test_a_fingerprint_that_does_not_fit_its_rows_has_no_pieces(change: dict[str, Any]) -> None:
    store = store_of("ab")
    assert [piece.columns for piece in pieces(store)] == [slice(0, 2), slice(2, 5)]
    assert pieces(store._replace(fingerprint={**store.fingerprint, **change})) == []
