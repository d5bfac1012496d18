"""Who trains, who validates, who tests: stable, whole groups, and no image in two places."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.core import UserError
from onepass.photos import Assignment, Photo, assign
from onepass.photos.splits import draw

Photos = dict[str, list[Photo]]
SPLITS = {"train", "validation", "test"}

seeds = st.integers(0, 2**31 - 1)
fractions = st.floats(0.15, 0.4)
extra_hashes = st.sets(st.text("0123456789abcdef", min_size=4, max_size=8), min_size=1, max_size=30)


def photos(hashes: Iterable[str], split: str = "", group: str = "") -> Photos:
    """An image a hash, cats and dogs in turn."""
    return {
        hash_: [Photo(f"{hash_}.jpg", ("cats", "dogs")[i % 2], split, group)] for i, hash_ in enumerate(sorted(hashes))
    }


def many(count: int, split: str = "", prefix: str = "image") -> Photos:
    return photos((f"{prefix}{i:05}" for i in range(count)), split)


# Enough images that every class is in every split, whatever the seed: what is missing is tested further down.
CROWD = many(400)


def assigned(
    photos_by_hash: Mapping[str, Sequence[Photo]], validation: float = 0.2, test: float = 0.2, seed: int = 0
) -> list[Assignment]:
    given = {photo.split for same in photos_by_hash.values() for photo in same}
    return list(assign(sorted(photos_by_hash.items()), given, validation, test, seed))


def splits(
    photos_by_hash: Mapping[str, Sequence[Photo]], validation: float = 0.2, test: float = 0.2, seed: int = 0
) -> dict[str, str]:
    return {row.hash: row.split for row in assigned(photos_by_hash, validation, test, seed)}


@given(extra_hashes, fractions, fractions, seeds)
@settings(deadline=None)
def test_adding_images_moves_no_old_one(added: set[str], validation: float, test: float, seed: int) -> None:
    before = splits(CROWD, validation, test, seed)
    after = splits(CROWD | photos(added), validation, test, seed)
    assert {hash_: after[hash_] for hash_ in before} == before
    assert after.keys() - before.keys() == added


@given(extra_hashes, fractions, fractions, seeds)
@settings(deadline=None)
def test_every_image_gets_exactly_one_split_and_its_label(
    added: set[str], validation: float, test: float, seed: int
) -> None:
    images = CROWD | photos(added)
    rows = assigned(images, validation, test, seed)
    assert [row.hash for row in rows] == sorted(images)
    assert {row.hash: row.label for row in rows} == {hash_: same[0].label for hash_, same in images.items()}
    assert {row.split for row in rows} == SPLITS


@given(st.lists(st.text(max_size=8).filter(bool), min_size=1, max_size=5, unique=True), seeds)
@settings(deadline=None)
def test_a_group_is_never_torn_apart(groups: list[str], seed: int) -> None:
    images = dict(CROWD)
    for number, group in enumerate(groups):
        images |= photos((f"{number}-{i}" for i in range(20)), group=group)
    found = splits(images, seed=seed)
    for number in range(len(groups)):
        assert len({found[f"{number}-{i}"] for i in range(20)}) == 1


@given(seeds, seeds)
@settings(deadline=None)
def test_another_seed_gives_another_split(one: int, other: int) -> None:
    assert (splits(CROWD, seed=one) == splits(CROWD, seed=other)) == (one == other)


@pytest.mark.parametrize(("validation", "test"), [(0.2, 0.2), (0.1, 0.3), (0.25, 0.0)])
def test_the_fractions_come_out_roughly_right(validation: float, test: float) -> None:
    found = Counter(splits(many(10_000), validation, test).values())
    assert found["validation"] / 10_000 == pytest.approx(validation, abs=0.02)
    assert found["test"] / 10_000 == pytest.approx(test, abs=0.02)
    assert found.total() == 10_000


@pytest.mark.parametrize(
    ("key", "seed", "place"),
    [("0" * 64, 0, 0.39027412103198245), ("0" * 64, 1, 0.48684929806846355), ("group \udcff", 0, 0.024349382751569948)],
)
def test_the_draw_is_the_same_in_every_version(key: str, seed: int, place: float) -> None:
    # Another draw would move images that were tested on into training, in every data set there is.
    assert draw(key, seed) == place


def test_given_splits_are_used_as_given() -> None:
    images = many(20, "train", "a") | many(4, "validation", "b") | many(6, "test", "c")
    assert splits(images, 0.9, 0.05) == {hash_: same[0].split for hash_, same in images.items()}


def test_images_without_a_split_are_drawn_beside_given_ones() -> None:
    images = many(20, "train", "a") | many(4, "validation", "b") | CROWD
    found = splits(images)
    assert all(found[hash_] == same[0].split for hash_, same in images.items() if same[0].split)
    assert {hash_: found[hash_] for hash_ in CROWD} == splits(CROWD)


@pytest.mark.parametrize("test_fraction", [0.0, 0.2])
def test_validation_is_carved_from_train_where_only_a_test_set_is_given(test_fraction: float) -> None:
    train, test = many(1000, "train", "a"), many(50, "test", "b")
    found = splits(train | test, 0.2, test_fraction)
    assert {found[hash_] for hash_ in test} == {"test"}
    carved = Counter(found[hash_] for hash_ in train)
    assert carved.keys() == {"train", "validation"}
    assert carved["validation"] == pytest.approx(200, abs=40)


def test_carving_keeps_groups_whole() -> None:
    train: Photos = {}
    for group in range(40):
        train |= photos((f"{group}-{i}" for i in range(10)), "train", f"group {group}")
    found = splits(train | many(20, "test"))
    by_group = [{found[f"{group}-{i}"] for i in range(10)} for group in range(40)]
    assert all(len(places) == 1 for places in by_group)
    assert set.union(*by_group) == {"train", "validation"}


def test_copies_of_a_file_count_once_and_one_of_them_may_name_the_split() -> None:
    copies = [Photo("x/1.jpg", "cats", "", ""), Photo("x/2.jpg", "cats", "test", "")]
    rows = assigned(CROWD | {"copied": copies})
    assert [(row.label, row.split) for row in rows if row.hash == "copied"] == [("cats", "test")]


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (
            {"h": [Photo("a.jpg", "cats", "train", ""), Photo("b.jpg", "cats", "test", "")]},
            "b.jpg and a.jpg are the same bytes, but their splits are 'test' and 'train'.",
        ),
        (
            {"h": [Photo("a.jpg", "cats", "", "g1"), Photo("b.jpg", "cats", "", "g2")]},
            "a.jpg and b.jpg are the same bytes, but their groups are 'g1' and 'g2'.",
        ),
        (
            {"h": [Photo("a.jpg", "cats", "train", "g")], "i": [Photo("b.jpg", "dogs", "test", "g")]},
            "group 'g' is in two splits: a.jpg in train and b.jpg in test. Give the whole group one split.",
        ),
        (
            {"h": [Photo("a.jpg", "cats", "train", "g")], "i": [Photo("b.jpg", "dogs", "", "g")]},
            "group 'g' is in two splits: a.jpg in train and b.jpg in none. Give the whole group one split.",
        ),
    ],
    ids=["bytes in two splits", "bytes in two groups", "group in two splits", "half a group given"],
)
def test_a_contradiction_names_both_files(images: Photos, complaint: str) -> None:
    with pytest.raises(UserError) as caught:
        assigned(CROWD | images)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_class_missing_from_a_split_is_named_with_count_and_split(split: str) -> None:
    images = many(2, "train", "a") | many(2, "validation", "b") | many(2, "test", "c")
    images = {hash_: same for hash_, same in images.items() if (same[0].label, same[0].split) != ("cats", split)}
    with pytest.raises(UserError) as caught:
        splits(images)
    assert f"Every class needs images in every split:\n  cats (2 images) has none in {split}\n" in str(caught.value)


def test_no_test_images_are_needed_where_no_test_fraction_is_asked_for() -> None:
    assert set(splits(CROWD, 0.2, 0.0).values()) == {"train", "validation"}


@pytest.mark.parametrize(
    ("images", "found"),
    [
        ({}, "Found 0 usable images in 0 classes (none)"),
        ({"h": [Photo("a.jpg", "cats", "", "")]}, "Found 1 usable images in 1 classes (cats)"),
    ],
)
def test_fewer_than_two_classes_is_an_error(images: Photos, found: str) -> None:
    with pytest.raises(UserError) as caught:
        splits(images)
    assert f"{found}; expected at least two classes." in str(caught.value)
