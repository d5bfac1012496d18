"""What is said of how often the head does not know."""

from pathlib import Path

import numpy as np
import pytest

from onepass.core import UserError
from onepass.evaluation import DistanceWatch, read_abstentions, write_abstentions
from onepass.heads import TrainedHead
from onepass.statistics import wilson
from tests.unit.heads.small_heads import LIMITS, dense_arrays, knowing

LABELS = np.array([0, 0, 1, 1])
CHANCES = np.array([[0.9, 0.1], [0.45, 0.55], [0.2, 0.8], [0.65, 0.35]])
DISTANCES = np.array([0.01, 0.01, 0.02, 0.09], np.float32)
HEAD = knowing(TrainedHead(["a", "b"], "sigmoid", 1.0, "none", weights=dense_arrays(6, 1)), 6)


def test_what_is_written_is_what_the_limits_do(tmp_path: Path) -> None:
    head = HEAD._replace(limits=LIMITS.model_copy(update={"sure": 0.6, "in_set": 0.4}), temperature=1.5)
    write_abstentions(tmp_path, head, LABELS, CHANCES, DISTANCES, "test")
    found, curve = read_abstentions(tmp_path)
    assert (found.images, found.unsure, found.unfamiliar, found.refused) == (4, 1, 1, 2)
    assert found.answered_correct == 2
    assert (found.in_set, found.classes_in_sets) == (3, 1.25)
    assert (found.refuse, found.chosen_on, found.chose_the_limits, found.temperature) == (0.02, 50, False, 1.5)
    assert [(point.images, point.accuracy) for point in curve] == [(4, 0.5), (3, pytest.approx(2 / 3)), (2, 1), (1, 1)]
    assert (curve[2].low, curve[2].high) == pytest.approx(wilson(1, 2), rel=1e-5)
    write_abstentions(tmp_path, head, LABELS, CHANCES, DISTANCES, "validation")
    assert read_abstentions(tmp_path)[0].chose_the_limits


def test_a_million_images_are_counted_to_the_last(tmp_path: Path) -> None:
    labels, sure = np.zeros(1_234_567, np.int64), np.linspace(0.5, 1, 1_234_567)
    write_abstentions(
        tmp_path, HEAD, labels, np.stack([sure, 1 - sure], axis=1), np.zeros(len(labels), np.float32), "test"
    )
    found, curve = read_abstentions(tmp_path)
    assert found.images == curve[0].images == 1_234_567
    assert curve[-1].images == 1_234_567 // 20


def test_distances_are_measured_while_features_are_read_for_something_else() -> None:
    watch, chances = DistanceWatch(HEAD), np.ones((3, 2))
    features = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    watch.evaluated(["a", "b"], features[:2], chances[:2])
    watch.evaluated(["c", "d", "e"], features[2:], chances)
    watch.training(["f"], features[:1])
    np.testing.assert_allclose(watch.distances(), HEAD.distances(features), rtol=1e-6)


def test_a_head_without_limits_and_a_damaged_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no limits. `dvc repro --force train-head` chooses them"):
        write_abstentions(tmp_path, HEAD._replace(limits=None), LABELS, CHANCES, DISTANCES, "test")
    with pytest.raises(UserError, match=r"abstentions.json cannot be read.*dvc repro"):
        read_abstentions(tmp_path)
    write_abstentions(tmp_path, HEAD, LABELS, CHANCES, DISTANCES, "test")
    (tmp_path / "coverage.csv").write_text("coverage,images\n1,x\n")
    with pytest.raises(UserError, match=r"coverage.csv cannot be read.*dvc repro"):
        read_abstentions(tmp_path)
