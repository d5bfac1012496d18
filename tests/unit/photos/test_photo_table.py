"""What prepare knows of many photos is kept in little memory, and says what plain lists and dicts would."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.photos import DecodeCache, Image, Photo, PhotoTable, Quarantined

FEW_HASHES = ["00" * 32, "00" * 31 + "01", "01" + "00" * 31, "ab" * 32]  # beginnings and ends that numpy may drop
names = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.binary().map(os.fsdecode))
labels = st.sampled_from(["", "cats", "dogs"])
sizes = st.integers(1, 10**9)
decoded = st.sampled_from(FEW_HASHES), names, sizes, sizes, st.integers(0, 1)
images = st.builds(Image, *decoded, given_split=st.just(""), group=st.just(""))
photos = st.builds(Photo, names, labels, labels, names, labels, st.sampled_from(["", *FEW_HASHES[1:]]))


def by_name(photo: Photo) -> bytes:
    return os.fsencode(photo.file)


@given(st.lists(photos))
@settings(deadline=None)
def test_photos_come_back_as_they_were_and_by_name(plain: list[Photo]) -> None:
    table = PhotoTable(plain)
    ordered = sorted(plain, key=by_name)
    assert list(table) == ordered
    assert [table[number] for number in range(len(table))] == ordered
    assert len(table) == len(plain)


@given(st.lists(photos.map(lambda photo: photo._replace(file=photo.file[:1]))))
@settings(deadline=None)
def test_a_file_that_is_given_again_is_told(plain: list[Photo]) -> None:
    first: dict[str, int] = {}
    expected = [
        (place, first[photo.file], photo.file)
        for place, photo in enumerate(plain)
        if first.setdefault(photo.file, place) != place
    ]
    assert sorted(PhotoTable(plain).repeated()) == expected


@given(st.lists(photos))
@settings(deadline=None)
def test_a_photo_is_unusable_until_its_content_is_set(plain: list[Photo]) -> None:
    table = PhotoTable(plain)
    assert (table.file_count, table.image_count, table.labels) == (0, 0, set())
    assert list(table.images()) == []
    assert list(table.rows()) == []


@given(st.lists(images))
@settings(deadline=None)
def test_the_content_of_images_comes_back_as_it_was(plain: list[Image]) -> None:
    plain.sort(key=lambda image: os.fsencode(image.file))
    table = PhotoTable(Photo(image.file, "cats", "", "") for image in plain)
    for number, image in enumerate(plain):
        table.set_content((number, image))
    assert list(table.rows()) == plain
    assert table.file_count == len(plain)


@given(st.lists(st.tuples(photos, st.one_of(st.none(), images))), st.sets(st.sampled_from(FEW_HASHES)))
@settings(deadline=None)
def test_usable_photos_are_grouped_by_hash_and_listed_by_file(
    pairs: list[tuple[Photo, Image | None]], dropped: set[str]
) -> None:
    pairs.sort(key=lambda pair: by_name(pair[0]))
    table = PhotoTable(photo for photo, _ in pairs)
    for number, (_, image) in enumerate(pairs):
        if image:
            table.set_content((number, image))
    table.drop(dropped)
    kept = [(photo, image) for photo, image in pairs if image and image.hash not in dropped]
    by_hash: dict[str, list[Photo]] = {}
    for photo, image in kept:
        by_hash.setdefault(image.hash, []).append(photo)
    for _ in range(2):  # it can be gone through again
        assert list(table.images()) == sorted(by_hash.items())
        assert table.given_splits == {photo.split for same in by_hash.values() for photo in same}
        assert list(table.rows()) == [
            image._replace(file=photo.file, given_split=photo.split, group=photo.group) for photo, image in kept
        ]
    assert table.file_count == len(kept)
    assert table.image_count == len(by_hash)
    assert table.labels == {photo.label for photo, _ in kept}
    assert list(table) == [photo for photo, _ in pairs]  # what is said of the others is not lost


@given(st.lists(images), st.lists(st.sampled_from(FEW_HASHES)))
@settings(deadline=None)
def test_what_is_known_is_found_by_hash_under_the_new_name(rows: list[Image], refused: list[str]) -> None:
    bad = [Quarantined(hash_, "old name", "corrupt", "detail") for hash_ in refused]
    known = DecodeCache(rows, bad)
    plain: dict[str, Image | Quarantined] = {row.hash: row for row in reversed(rows)}
    plain |= {row.hash: row for row in bad}
    for hash_ in FEW_HASHES:
        expected = plain[hash_]._replace(file="new") if hash_ in plain else None
        assert known.row(hash_, "new") == expected
