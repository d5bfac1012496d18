"""Beside a mistake stand the training images that are most like it."""

from pathlib import Path

import numpy as np
import pytest

from onepass.core import UserError
from onepass.evaluation import NearestTraining, nearest_training, read_nearest
from onepass.heads import root_directions
from onepass.photos import Assignment, AssignmentTable

VALUES = 12
TRAINING, EVALUATED = 40, 10


def hashed(number: int) -> str:
    return f"{number:064x}"


def test_the_surest_mistakes_come_first_each_with_its_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_training, "MISTAKES", 3)
    random = np.random.default_rng(0)
    features = random.random((TRAINING + EVALUATED, VALUES)).astype(np.float32)
    hashes = [hashed(number) for number in range(len(features))]
    rows = AssignmentTable(
        Assignment(hash_, "a" if number % 3 else "b", "train" if number < TRAINING else "test")
        for number, hash_ in enumerate(hashes)
    )
    labels = np.zeros(EVALUATED, np.int64)
    sure = np.array([0.9, 0.1, 0.45, 0.05, 0.8, 0.3, 0.7, 0.95, 0.2, 0.6])  # of the label: below 0.5 it is wrong
    chances = np.stack([sure, 1 - sure], axis=1)
    watch = NearestTraining(labels)
    for start in (0, 6):
        some = slice(TRAINING + start, TRAINING + min(start + 6, EVALUATED))
        watch.evaluated(hashes[some], features[some], chances[start : start + 6])
    for start in range(0, TRAINING, 7):
        some = slice(start, min(start + 7, TRAINING))
        watch.training(hashes[some], features[some])
    watch.write(tmp_path / "nearest.csv", {hash_: f"{hash_[-2:]}.jpg" for hash_ in watch.hashes}, rows)
    found = read_nearest(tmp_path / "nearest.csv")
    assert [*found] == [hashed(TRAINING + place) for place in (3, 1, 8)]
    cosines = root_directions(features[TRAINING:]) @ root_directions(features[:TRAINING]).T
    for place in (3, 1, 8):
        near = np.argsort(-cosines[place])[:2].tolist()
        given = found[hashed(TRAINING + place)]
        assert [row.training_hash for row in given] == [hashed(number) for number in near]
        assert [row.label for row in given] == ["a" if number % 3 else "b" for number in near]
        assert given[0].file == f"{hashed(near[0])[-2:]}.jpg"
        assert float(given[0].cosine) == pytest.approx(cosines[place].max(), abs=1e-4)


def test_without_a_mistake_the_table_is_empty_and_a_missing_one_says_what_to_do(tmp_path: Path) -> None:
    watch = NearestTraining(np.zeros(1, np.int64))
    watch.evaluated([hashed(1)], np.ones((1, 4)), np.array([[0.9, 0.1]]))
    watch.training([hashed(0)], np.ones((1, 4)))
    watch.write(tmp_path / "nearest.csv", {}, AssignmentTable([Assignment(hashed(0), "a", "train")]))
    assert read_nearest(tmp_path / "nearest.csv") == {}
    with pytest.raises(UserError, match=r"absent.csv cannot be read.*`dvc repro` brings it up to date"):
        read_nearest(tmp_path / "absent.csv")
