"""A photo passes the decoder once: what prepare decoded is what extraction takes, to the last bit."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onepass.backbones import Backbone, resolve
from onepass.core import packed
from onepass.features import DecodedPhotos, keeping_decoded
from onepass.features import decoded_photos as module
from onepass.params import BackboneParams
from onepass.photos import SMALLEST, UNLIMITED, LocatedView, PixelReader, View, decode

SIDE = 16
PIXELS = {"name": "custom", "weights": "data/no-weights.txt", "layer": "input", "image_side": SIDE}


def params(**changes: Any) -> BackboneParams:
    return BackboneParams(**{**PIXELS, **changes})


def write_photos(folder: Path, count: int) -> dict[str, Path]:
    """Photos of several sizes, some large enough to be reduced, by hash."""
    random = np.random.default_rng(0)
    photos = {}
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (7, 9, 3), np.uint8))
        stream = io.BytesIO()
        coarse.resize((60, 40) if number % 5 else (1300, 1100)).save(stream, "JPEG" if number % 2 else "PNG")
        path = folder / f"{number}"
        path.write_bytes(stream.getvalue())
        photos[hashlib.sha256(stream.getvalue()).hexdigest()] = path
    return photos


def prepared(machine: Path, photos: dict[str, Path], given: BackboneParams) -> Backbone:
    """All photos decoded as prepare does it, by two threads."""
    with keeping_decoded(machine, given) as keep, ThreadPoolExecutor(2) as threads:
        list(
            threads.map(
                lambda hash_: keep(hash_, decode(photos[hash_].read_bytes(), UNLIMITED, SMALLEST).image), photos
            )
        )
    return resolve(given)


def at_hand(machine: Path, photos: dict[str, Path], backbone: Backbone) -> DecodedPhotos:
    return DecodedPhotos(machine, backbone, packed(sorted(photos)))


@pytest.mark.parametrize("channels", ["rgb", "grayscale"])
def test_the_pixels_of_a_photo_are_those_that_its_file_would_give(
    channels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 5 * SIDE * SIDE * 3)
    photos = write_photos(tmp_path, 23)
    backbone = prepared(tmp_path / "machine", photos, params(color_mode=channels))
    decoded = at_hand(tmp_path / "machine", photos, backbone)
    shape = backbone.pixel_shape
    for hash_, path in photos.items():
        located = LocatedView(str(path), View(hash_, 0))
        from_file = PixelReader(Path(), shape, "scaled").pixels(located)
        np.testing.assert_array_equal(PixelReader(Path(), shape, "scaled", decoded.pixels).pixels(located), from_file)
        path.unlink()
        np.testing.assert_array_equal(PixelReader(Path(), shape, "scaled", decoded.pixels).pixels(located), from_file)


@pytest.mark.parametrize("other", [{"image_side": SIDE + 1}, {"decoding": "exact"}, {"image_side": SMALLEST}], ids=str)
def test_pixels_of_another_size_or_decoding_are_not_taken(other: dict[str, Any], tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 4)
    prepared(tmp_path / "machine", photos, params())
    prepared(tmp_path / "machine", photos, params(**other))
    decoded = at_hand(tmp_path / "machine", photos, resolve(params(**other)))
    kept = [decoded.pixels(hash_) for hash_ in photos]
    if other == {"image_side": SIDE + 1}:
        assert all(pixels is not None and pixels.shape == (SIDE + 1, SIDE + 1, 3) for pixels in kept)
    else:
        assert kept == [None] * 4


def test_another_view_of_a_photo_comes_from_its_file(tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 2)
    backbone = prepared(tmp_path / "machine", photos, params())
    decoded = at_hand(tmp_path / "machine", photos, backbone)
    for hash_, path in photos.items():
        view = LocatedView(str(path), View(hash_, 1))
        from_file = PixelReader(Path(), backbone.pixel_shape, "scaled").pixels(view)
        found = PixelReader(Path(), backbone.pixel_shape, "scaled", decoded.pixels).pixels(view)
        np.testing.assert_array_equal(found, from_file)


def test_what_is_damaged_or_gone_is_decoded_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2 * SIDE * SIDE * 3)
    photos = write_photos(tmp_path, 6)
    backbone = prepared(tmp_path / "machine", photos, params())
    chunks = sorted((tmp_path / "machine").rglob("*.npy"))
    assert len(chunks) == 3
    content = bytearray(chunks[0].read_bytes())
    content[-1] ^= 1
    chunks[0].write_bytes(content)
    decoded = at_hand(tmp_path / "machine", photos, backbone)
    assert sum(decoded.pixels(hash_) is None for hash_ in photos) == 1
    chunks[1].unlink()  # while extraction runs
    assert sum(decoded.pixels(hash_) is None for hash_ in photos) in (1, 3)  # what was read before may still be open


def test_no_more_is_kept_than_half_of_what_the_pools_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEPASS_POOL_BYTES", str(2 * 10 * SIDE * SIDE * 3))
    photos = write_photos(tmp_path, 23)
    backbone = prepared(tmp_path / "machine", photos, params())
    decoded = at_hand(tmp_path / "machine", photos, backbone)
    assert sum(decoded.pixels(hash_) is not None for hash_ in photos) == 10
    prepared(tmp_path / "machine", photos, params())
    assert at_hand(tmp_path / "machine", photos, backbone).size == decoded.size


def test_a_side_that_only_weights_of_later_would_tell_keeps_nothing(tmp_path: Path) -> None:
    absent = params(layer="last", preprocess="rescale", image_side="native", weights=str(tmp_path / "absent.keras"))
    with keeping_decoded(tmp_path / "machine", absent) as keep:
        keep("0" * 64, Image.new("RGB", (9, 9)))
    assert not (tmp_path / "machine").exists()
