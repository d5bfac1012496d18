"""What prepare knows of many photos is kept in little memory, and says what plain lists and dicts would."""

import os
from array import array

from hypothesis import given
from hypothesis import strategies as st

from onepass.photos import PACKED_TODO, USABLE_TODO, DecodeCache, Image, Photo, PhotoTable, Quarantined, said

FEW_HASHES = ["00" * 32, "00" * 31 + "01", "01" + "00" * 31, "ab" * 32]  # beginnings and ends that numpy may drop
names = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.binary().map(os.fsdecode))
labels = st.sampled_from(["", "cats", "dogs"])
sizes = st.integers(1, 10**9)
images = st.builds(Image, st.sampled_from(FEW_HASHES), names, sizes, sizes, st.integers(0, 1))
photos = st.builds(Photo, names, labels, labels, names, labels)


@given(st.lists(photos))
def test_photos_come_back_as_they_were(plain: list[Photo]) -> None:
    packed = PhotoTable([photo.file for photo in plain], [said(*photo[1:]) for photo in plain])
    assert list(packed) == plain
    assert len(packed) == len(plain)


@given(st.lists(images))
def test_packed_images_come_back_as_they_were(plain: list[Image]) -> None:
    packed = PACKED_TODO(plain)
    assert [packed.row(number, image.file) for number, image in enumerate(plain)] == plain
    assert len(packed) == len(plain)


def usable(rows: list[Image | None]) -> tuple[USABLE_TODO, list[Photo]]:
    """A photo a row, those without one unusable."""
    photos = [Photo(f"{number:03}.jpg", "cats", "", "") for number in range(len(rows))]
    numbers = array("I", [number for number, row in enumerate(rows) if row])
    packed = PACKED_TODO(row for row in rows if row)
    return USABLE_TODO(
        PhotoTable([photo.file for photo in photos], [said("cats", "", "")] * len(rows)), numbers, packed
    ), photos


@given(st.lists(st.one_of(st.none(), images)), st.sets(st.sampled_from(FEW_HASHES)))
def test_usable_photos_are_grouped_by_hash_and_listed_by_file(rows: list[Image | None], dropped: set[str]) -> None:
    found, photos = usable(rows)
    found.drop(dropped)
    kept = [(row, photo) for row, photo in zip(rows, photos, strict=True) if row and row.hash not in dropped]
    by_hash: dict[str, list[Photo]] = {}
    for row, photo in kept:
        by_hash.setdefault(row.hash, []).append(photo)
    for _ in range(2):  # it can be gone through again
        assert list(found) == sorted(by_hash.items())
        assert list(found.rows()) == [row._replace(file=photo.file) for row, photo in kept]
    assert found.file_count == len(kept)
    assert found.image_count == len(by_hash)


@given(st.lists(images), st.lists(st.sampled_from(FEW_HASHES)))
def test_what_is_known_is_found_by_hash_under_the_new_name(rows: list[Image], refused: list[str]) -> None:
    bad = [Quarantined(hash_, "old name", "corrupt", "detail") for hash_ in refused]
    known = DecodeCache(rows, bad)
    plain: dict[str, Image | Quarantined] = {row.hash: row for row in reversed(rows)}
    plain |= {row.hash: row for row in bad}
    for hash_ in FEW_HASHES:
        expected = plain[hash_]._replace(file="new") if hash_ in plain else None
        assert known.row(hash_, "new") == expected
