"""The store: what is read is what was written, or a message that names the part."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.core import UserError, packed, write_sealed_json
from onepass.features import FINGERPRINT_FILE, DamagedPartError, Store, open_store, read_features
from onepass.features.rows import make_rows, pack
from onepass.features.store import MOST_PARTS, by_part, part_count, part_of

SHAPE = (2, 3)


def hashes(count: int) -> list[str]:
    return sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))


def features_of(names: list[str], shape: tuple[int, ...] = SHAPE) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Features that depend on nothing but the hash."""
    return np.stack([np.random.default_rng(int(name[:8], 16)).random(shape, np.float32) for name in names])


def write_store(folder: Path, names: list[str], fingerprint: str = "ours") -> Store:
    store = Store(len(names), "float32", list(SHAPE), {"backbone": fingerprint}, "")
    folder.mkdir(parents=True, exist_ok=True)
    for name, places in by_part(packed(names)):
        members = names[places]
        (folder / name).write_bytes(pack(make_rows(members, features_of(members), store.key)))
    write_sealed_json(folder / FINGERPRINT_FILE, store._asdict())
    return store


def test_features_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    names = hashes(50)
    write_store(tmp_path, names)
    asked = names[::-3]
    found = read_features(tmp_path, open_store(tmp_path), asked)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, features_of(asked))


def test_a_part_is_an_ordinary_npy_file(tmp_path: Path) -> None:
    names = hashes(5)
    write_store(tmp_path, names)
    part = np.load(tmp_path / part_of(names[0], part_count(5)), allow_pickle=False)
    np.testing.assert_array_equal(part["features"][0], features_of(names[:1])[0])


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=200))
def test_every_image_is_in_exactly_one_part_and_in_order(contents: set[bytes]) -> None:
    names = sorted(content.hex() for content in contents)
    parts = list(by_part(packed(names)))
    assert [name for name, _ in parts] == sorted({part_of(hash_, part_count(len(names))) for hash_ in names})
    assert [hash_ for _, places in parts for hash_ in names[places]] == names
    for part, places in parts:
        assert {part_of(hash_, part_count(len(names))) for hash_ in names[places]} == {part}


def parts_of(names: list[str]) -> dict[str, list[str]]:
    """The hashes of each part."""
    ordered = sorted(names)
    return {part: ordered[places] for part, places in by_part(packed(ordered))}


@pytest.mark.parametrize("images", [2_800, 5_000, 10_000])
def test_adding_ten_images_touches_at_most_ten_parts_of_about_two_rows(images: int) -> None:
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(images + 10)]
    before, after = parts_of(names[:images]), parts_of(names)
    touched = [part for part, members in after.items() if before.get(part) != members]
    assert len(touched) <= 10
    assert sum(len(after[part]) for part in touched) <= 30


def test_the_number_of_parts_depends_on_the_number_of_images_alone_and_stays_small() -> None:
    assert [part_count(n) for n in (0, 1, 2, 3, 2_800, 10_000, 1_000_000)] == [1, 1, 1, 2, 2048, 8192, MOST_PARTS]


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a flipped bit in the features": (lambda c: c[:-5] + bytes([c[-5] ^ 1]) + c[-4:], "do not match their checksum"),
    "a flipped bit in a hash": (lambda c: c[:-60] + bytes([c[-60] ^ 1]) + c[-59:], "do not match their checksum"),
    "a truncated part": (lambda c: c[:-7], "no whole number of rows"),
    "a truncated header": (lambda c: c[:40], "no whole number of rows"),
    "an empty part": (lambda _: b"", "not a .npy file"),
    "a zeroed half": (lambda c: c[: len(c) // 2] + bytes(len(c) - len(c) // 2), "do not match their checksum"),
    "trailing bytes": (lambda c: c + b"\0" * 64, "its header is not that of"),
    "another type of row": (lambda c: c.replace(b"<f4", b"<i4"), "its header is not that of"),
    "not numpy": (lambda _: b"<html>", "not a .npy file"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_and_the_part_named_with_a_way_to_mend_it(name: str, tmp_path: Path) -> None:
    names = hashes(40)
    store = write_store(tmp_path, names)
    part = tmp_path / store.part_of(names[7])
    damage, words = DAMAGES[name]
    part.write_bytes(damage(part.read_bytes()))
    with pytest.raises(UserError, match=words) as caught:
        read_features(tmp_path, store, names)
    assert str(part) in str(caught.value)
    assert "python -m onepass repair" in str(caught.value)


def test_every_flipped_bit_of_a_part_is_found(tmp_path: Path) -> None:
    names = hashes(4)
    store = write_store(tmp_path, names)
    part = tmp_path / store.part_of(names[0])
    content = part.read_bytes()
    for place in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(DamagedPartError):
            store.unpack(bytes(damaged), part.name)


def test_a_part_in_the_place_of_another_is_found(tmp_path: Path) -> None:
    names = hashes(40)
    store = write_store(tmp_path, names)
    one, other = tmp_path / store.part_of(names[0]), tmp_path / store.part_of(names[-1])
    one.write_bytes(other.read_bytes())
    with pytest.raises(UserError, match=f"{one.name} has no row for the image"):
        read_features(tmp_path, store, names)


def test_a_part_of_another_backbone_with_the_same_shape_is_found(tmp_path: Path) -> None:
    names = hashes(40)
    store = write_store(tmp_path / "ours", names)
    write_store(tmp_path / "theirs", names, fingerprint="theirs")
    part = store.part_of(names[3])
    (tmp_path / "ours" / part).write_bytes((tmp_path / "theirs" / part).read_bytes())
    with pytest.raises(UserError, match="do not match their checksum"):
        read_features(tmp_path / "ours", store, names)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    names = hashes(40)
    store = write_store(tmp_path, names)
    (tmp_path / store.part_of(names[3])).unlink()
    with pytest.raises(UserError, match=rf"{store.part_of(names[3])} is missing"):
        read_features(tmp_path, store, names)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"not json"])
def test_an_unreadable_fingerprint_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FINGERPRINT_FILE).write_bytes(content)
    with pytest.raises(UserError, match=r"fingerprint\.json cannot be read"):
        open_store(tmp_path)
