"""The same photo is found whatever was done to its file, and photos that are only alike are not called copies."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from onepass.audit import Neighbours, find_copies, groups_of
from onepass.audit.copies import READ, SAME, same_pixels, signature
from onepass.evaluation import ALIKE, FEWEST_VALUES


def scene(seed: int) -> Image.Image:
    """Something with large and small shapes, as photos have."""
    random = np.random.default_rng(seed)
    shapes = [Image.fromarray(random.integers(0, 256, (n, n), np.uint8)).resize((200, 150), 3) for n in (3, 6, 12)]
    return Image.fromarray(np.mean([np.asarray(shape) for shape in shapes], axis=0).astype(np.uint8))


def read(photo: Image.Image) -> Image.Image:
    return photo.resize((READ, READ), Image.Resampling.BOX)


@pytest.mark.parametrize(
    "change",
    [
        lambda photo: photo.resize((100, 75)).resize((200, 150)),
        ImageOps.mirror,
        lambda photo: photo.crop((10, 8, 190, 142)),
        lambda photo: ImageOps.mirror(photo.crop((5, 4, 195, 146))),
        lambda photo: photo.point(lambda value: min(255, 30 + value * 3 // 4)),
    ],
    ids=["resized", "mirrored", "cut", "cut and mirrored", "brighter"],
)
def test_pixels_tell_the_same_photo_from_another_one(change: Callable[[Image.Image], Image.Image]) -> None:
    for seed in range(5):
        assert same_pixels(read(scene(seed)), read(change(scene(seed)))) >= SAME
        assert same_pixels(read(change(scene(seed + 5))), read(scene(seed))) < SAME


def test_a_photo_of_one_colour_is_like_no_other() -> None:
    assert same_pixels(Image.new("L", (READ, READ), 9), read(scene(0))) == pytest.approx(0)


def neighbours(cosine: float) -> Neighbours:
    """Two photos, each the nearest of the other."""
    return Neighbours(np.array([[1], [0]], np.int32), np.array([[cosine], [cosine]], np.float32), 1.0)


@pytest.mark.parametrize(
    ("cosine", "same", "found"),
    [
        (0.99, False, True),
        (ALIKE, False, True),
        (0.8, True, True),
        (0.8, False, False),
        (0.1, True, True),  # as of tiny photos that were resized: they still look the same from afar
        (0.1, False, False),
    ],
)
def test_pixels_decide_where_features_leave_it_open(cosine: float, same: bool, found: bool) -> None:
    photos = [scene(0), scene(0 if same else 1)]
    asked = [np.asarray(read(photo).convert("RGB")) for photo in photos]
    signatures = np.stack([signature(np.asarray(photo.resize((64, 64)).convert("RGB"))) for photo in photos])
    vectors = np.zeros((2, FEWEST_VALUES), np.float32)
    vectors[:, 0], vectors[0, 1] = 1, np.sqrt(1 / cosine**2 - 1) if cosine < 1 else 0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = find_copies(vectors, neighbours(cosine), signatures, lambda number: asked[number])
    assert [pair[:2] for pair in pairs] == ([(0, 1)] if found else [])
    assert [pair.likeness for pair in pairs] == pytest.approx([cosine] * found, abs=1e-4)
    few = vectors[:, : FEWEST_VALUES - 1]
    assert find_copies(few, neighbours(cosine), signatures, lambda number: asked[number]) == []


def test_groups_are_what_belongs_together_directly_or_not() -> None:
    found = groups_of([(0, 5), (5, 7), (2, 3)], ["", "shoot", "", "", "shoot", "", "", "", "alone"])
    assert [group.tolist() for group in found] == [[0, 5, 7], [1, 4], [2, 3]]
    assert groups_of([], []) == []
