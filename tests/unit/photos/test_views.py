"""Augmented views: deterministic, rows of their own, and only those that are missing are computed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onepass.core import UserError, in_hex
from onepass.photos import View, WantedViews, augmented, views_of
from tests.builders import Project

HASH, OTHER, ZEROS = "ab" * 32, "cd" * 32, "cd" * 20 + "00" * 12


def photo(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_view_0_is_the_photo_itself_under_its_hash() -> None:
    image = photo()
    assert views_of(HASH, 1) == [View(HASH, 0)]
    assert View(HASH, 0).key == HASH
    assert augmented(image, View(HASH, 0)) is image


def test_every_view_has_a_key_of_its_own_however_many_are_wanted() -> None:
    keys = [view.key for hash_ in (HASH, OTHER) for view in views_of(hash_, 8)]
    assert len(set(keys)) == 16
    assert all(len(bytes.fromhex(key)) == 32 for key in keys)
    assert [view.key for view in views_of(HASH, 4)] == keys[:4]


def test_the_same_view_is_the_same_picture_and_another_view_is_another() -> None:
    pictures = [np.asarray(augmented(photo(), view).resize((9, 9))).tobytes() for view in views_of(HASH, 6)]
    again = [np.asarray(augmented(photo(), view).resize((9, 9))).tobytes() for view in views_of(HASH, 6)]
    assert pictures == again
    assert len(set(pictures)) == 6


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 50), (50, 1), (2, 3)])
def test_a_photo_of_a_few_pixels_has_views_too(width: int, height: int) -> None:
    for view in views_of(HASH, 20):
        seen = augmented(photo(width, height), view)
        assert 1 <= seen.width <= width
        assert 1 <= seen.height <= height


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({HASH: 1, ZEROS: 2, OTHER: 3}, f"{HASH}\n{ZEROS} 2\n{OTHER} 3\n"),
        ({HASH: 1, ZEROS: 1}, f"{HASH}\n{ZEROS}\n"),
        ({OTHER: 12}, f"{OTHER} 12\n"),
        ({}, ""),
    ],
    ids=["one and several", "one of each", "two digits", "none"],
)
def test_what_is_wanted_comes_back_as_it_was_written(tmp_path: Path, counts: dict[str, int], text: str) -> None:
    path = tmp_path / "wanted_views.txt"
    path.write_bytes(b"".join(WantedViews.line(hash_, count) for hash_, count in counts.items()))
    assert path.read_text(encoding="ascii") == text
    for wanted in (WantedViews.read(path), WantedViews(counts.keys(), counts.values())):
        views = {hash_: views_of(hash_, count) for hash_, count in counts.items()}
        assert {hash_: wanted.of(hash_) for hash_ in counts} == views
        keys = wanted.keys()
        assert [in_hex(key) for key in keys] == sorted(view.key for same in views.values() for view in same)


def test_a_missing_list_of_wanted_views_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"wanted_views\.txt is missing\. `dvc repro` writes it"):
        WantedViews.read(tmp_path / "wanted_views.txt")


@pytest.mark.slow
def test_more_views_compute_only_the_new_ones_of_the_training_photos(fresh: Project) -> None:
    fresh.set({"backbone.views": 3, "backbone.color_mode": "grayscale", "head.kind": "logistic"})
    output = fresh.run("dvc", "repro")
    training = (fresh.folder / "data" / "prepared" / "splits.csv").read_text().count(",train\n")
    assert f"{60 + 2 * training} images: 0 reused, {60 + 2 * training} computed\n" in output
    fresh.set({"backbone.views": 5})
    rows, new = 60 + 4 * training, 2 * training
    assert f"{rows} images: {rows - new} reused, {new} computed\n" in fresh.run("dvc", "repro")
    fresh.set({"backbone.views": 1})
    assert "60 images: 60 reused, 0 computed\n" in fresh.run("dvc", "repro", "extract-features")
