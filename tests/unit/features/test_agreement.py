"""Which stored rows may stand beside rows that are computed here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import UserError, packed
from onepass.engines import Forward
from onepass.features import Store
from onepass.features.agreement import CLOSE, Agreement, compare
from onepass.features.row_index import RowIndex
from onepass.features.rows import as_stored, make_rows, pack, row_hashes
from onepass.photos import LocatedView, PixelReader, View

SHAPE = (1, 1, 3)
FILES = [f"cats/{number}.png" for number in range(40)]
NAMES = [f"{number:064x}" for number in range(40)]
FEATURES = np.random.default_rng(0).normal(0, 3, (40, 5)).astype(np.float32)


class Counter(PixelReader):
    """Photos that say which one they are."""

    def pixels(self, located: LocatedView) -> NDArray[np.uint8]:
        return np.full(SHAPE, FILES.index(located.file), np.uint8)


def look_up(features: NDArray[Any]) -> Forward:
    """A network that gives these features of photos that say which one they are."""
    return Forward(lambda pixels: features[pixels[:, 0, 0, 0] % len(features)], at_once=1)


def agreement(stored: NDArray[Any], fresh: NDArray[Any], folder: Path) -> Agreement:
    store = Store(len(NAMES), str(stored.dtype), [*stored.shape[1:]], {"backbone": "ours"}, "")
    rows = make_rows(NAMES, stored, store.key)
    (folder / "rows").write_bytes(pack(rows))
    index = RowIndex(packed(NAMES), store.row_type)
    index.add("rows", folder / "rows", row_hashes(rows))
    sample = [LocatedView(file, View(name, 0)) for file, name in zip(FILES, NAMES, strict=True)]
    return compare(sample, index, Counter(folder, SHAPE, "scaled"), look_up(fresh))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_same_features_have_the_same_bits_however_they_are_stored(dtype: str, tmp_path: Path) -> None:
    found = agreement(FEATURES.astype(dtype), FEATURES, tmp_path)
    assert found[:3] == (40, True, 0)
    assert found.is_close


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("factor", "close"), [(0.5, True), (5, False)])
def test_close_is_measured_by_the_largest_feature_beyond_rounding(
    dtype: str, factor: float, close: bool, tmp_path: Path
) -> None:
    fresh = FEATURES.copy()
    fresh[17, 3] += factor * CLOSE * np.abs(FEATURES).max()  # of one photo alone
    found = agreement(FEATURES.astype(dtype), fresh, tmp_path)
    assert found.is_close is close
    assert found.same_bits is (found.deviation == 0)


def test_what_is_no_number_is_not_close(tmp_path: Path) -> None:
    spoiled = FEATURES.copy()
    spoiled[3, 0] = np.nan
    assert not agreement(spoiled, FEATURES, tmp_path).is_close


def test_a_pixel_that_differs_by_one_is_not_close(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 5)).astype(np.uint8)
    assert agreement(pixels, pixels, tmp_path).same_bits
    assert not agreement(pixels, pixels ^ 1, tmp_path).is_close


@pytest.mark.parametrize(("value", "said"), [(70000.0, "70000"), (-1e9, "-1e+09")], ids=str)
def test_what_float16_cannot_hold_names_the_photo_the_value_and_the_way_out(value: float, said: str) -> None:
    features = FEATURES.copy()
    features[17, 3] = value
    with pytest.raises(UserError) as caught:
        as_stored(features, "float16", FILES)
    assert str(caught.value) == (
        f"backbone.storage: float16 given, but a feature of cats/17.png is {said}; float16 holds numbers up to 65504. "
        "Set backbone.storage: float32."
    )


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_no_number_is_never_stored_and_names_the_photo(dtype: str, value: float) -> None:
    features = FEATURES.copy()
    features[17, 3] = value
    with pytest.raises(UserError) as caught:
        as_stored(features, dtype, FILES)
    assert str(caught.value).startswith(f"a feature of cats/17.png is {value:g}, and no head can be trained on that.")


@pytest.mark.parametrize(
    "change", [np.asarray, lambda features: features * 65504 / np.abs(features).max()], ids=["small", "large"]
)
def test_float16_rounds_to_the_nearest(change: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    features = change(FEATURES)
    rounded = as_stored(features, "float16", FILES)
    assert rounded.dtype == np.float16
    np.testing.assert_allclose(rounded.astype(np.float32), features, rtol=2**-11)
    assert as_stored(features, "float32", FILES) is features
