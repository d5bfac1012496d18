"""Each finding is there just beyond its threshold, with its numbers and the param to change, and not before it."""

import dataclasses
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.core import UserError, write_json
from onepass.evaluation import Finding, Metrics, NearCopies, NearCopy, PhotoFacts, RunFacts, find_all, read_findings
from onepass.evaluation.findings.finding import CHECKS
from onepass.evaluation.findings.learning import (
    idle_epochs,
    not_converged,
    out_of_balance,
    overconfident,
    overfitted,
    small_split,
    still_falling,
    stuck_at_chance,
)
from onepass.evaluation.findings.photos import copies_across_splits, foreign_preprocessing, grey_images, small_images
from onepass.heads import HeadPlan
from onepass.photos import Image
from onepass.statistics import wilson
from tests.builders import head_plan

MOBILENET = {"architecture": "MobileNet", "preprocess": "tf", "image_side": 100, "layer": "conv_pw_12_relu"}
PIXELS = {"image_side": 100, "layer": "input"}
CUSTOM = MOBILENET | {"architecture": "keras file", "preprocess": "rescale"}


def plan(kind: str = "mlp", **train: Any) -> HeadPlan:
    return head_plan(kind, train={"learning_rate": 1e-5, "patience": "none", **train})


def scored(correct: int, images: int, best_epoch: int = 14, epochs: int = 24) -> Metrics:
    """The metrics of a test split; what no finding looks at is 0."""
    low, high = wilson(correct / images, images)
    return Metrics(
        accuracy=correct / images,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=0,
        roc_auc=0,
        expected_calibration_error=0,
        images=images,
        correct=correct,
        split="test",
        chose_the_epoch=False,
        best_epoch=best_epoch,
        epochs=epochs,
    )


def photos(count: int, odd: int, **changes: Any) -> list[Image]:
    """``count`` photos, the first ``odd`` of them with these changes."""
    plain = [Image(f"{number:064x}", f"cats/{number}.jpg", 640, 480, 0) for number in range(count)]
    return [photo._replace(**changes) for photo in plain[:odd]] + plain[odd:]


def gathered(images: list[Image]) -> PhotoFacts:
    """The facts of these photos, which come out as they went in."""
    found = PhotoFacts(named={image.hash for image in images})
    assert [*found.gathered_from(images)] == images
    return found


def facts(**changes: Any) -> RunFacts:
    """What is known of a healthy run, with changes."""
    healthy = RunFacts(
        plan=plan(),
        metrics=scored(777, 800),
        converged=True,
        losses=[0.41, 0.13, 0.68, 0.10, 0.11, 0.11, 0.14, 0.15, 0.14, 0.15, 0.16, 0.31, 0.13, 0.15, 0.20],
        correct=1998,
        labels=Counter(cats=1000, dogs=1000),
        photos=gathered(photos(2800, 9, grey=1)),
        confidence=0.97,
        fingerprint=MOBILENET,
        shape=[9, 9, 512],
        copies=NearCopies(800, [NearCopy(0.01, "0" * 64, "1" * 64)]),
    )
    return dataclasses.replace(healthy, **changes)


def said(finding: Finding | None, *words: str) -> bool:
    """Whether there is a finding; if so, it says all these words and names a param."""
    if finding is None:
        return False
    for word in words:
        assert word in f"{finding.evidence} {finding.advice}"
    assert all(sentence.endswith(".") for sentence in finding[1:])
    assert any(f"{section}." in finding.advice for section in ("data", "split", "backbone", "head", "train"))
    return True


@pytest.mark.parametrize(("correct", "stuck"), [(180, True), (214, True), (222, False), (400, False)])
def test_stuck_at_chance_is_what_the_largest_class_alone_explains(correct: int, stuck: bool) -> None:
    labels = Counter({"metal": 200, "glass": 200, "plastic": 113})
    words = f"513 training images the head has {correct / 513:.1%}", "always answering metal (39.0%)", "1e-05 given"
    assert said(stuck_at_chance(facts(correct=correct, labels=labels)), *words) is stuck


@pytest.mark.parametrize(("shape", "advice"), [([9, 9, 512], "head.pooling: avg"), ([512], "backbone.layer")])
def test_a_regression_that_was_ended_on_its_way_is_told(shape: list[int], advice: str) -> None:
    ended = facts(plan=head_plan("logistic"), converged=False, shape=shape)
    assert said(not_converged(ended), "lowest loss of head.kind: logistic", "limit of iterations", advice)
    assert not said(not_converged(facts(plan=head_plan("logistic"))))
    pooled = not_converged(facts(plan=head_plan("logistic", head={"pooling": "avg"}), converged=False, shape=shape))
    assert pooled is not None
    assert pooled.advice == "Try another backbone.layer."


def falling(by: float, epochs: int, noise: float = 0.0) -> list[float]:
    """A validation loss that falls by this much over a fifth of the epochs, with ups and downs."""
    ups = noise * np.random.default_rng(0).choice([-1, 1], epochs)
    return list(1 - by * np.arange(epochs) / max(epochs // 5, 1) + ups)


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        (falling(0.0100 * math.log(3), 50), True),
        (falling(0.0099 * math.log(3), 50), False),
        (falling(0.05, 10), True),
        (falling(0.05, 4), False),
        (falling(0.05, 50, noise=0.2), False),  # no fall can be told from such ups and downs
        (falling(0.05, 50, noise=0.02), True),
        ([0.5, *falling(0.05, 49)], False),  # an earlier epoch was better
        ([*falling(0.05, 49), float("nan")], False),
        ([0.9], False),  # a head without epochs
        ([], False),
    ],
)
def test_loss_still_falling_is_a_fall_beyond_noise_in_the_last_fifth(losses: list[float], found: bool) -> None:
    words = "a guess has 1.099", "try train.learning_rate: 0.0001 (1e-05 given), or more train.epochs"
    run = facts(losses=losses, labels=Counter("abc"), plan=plan(epochs=max(len(losses), 1)))
    assert said(still_falling(run), *words) is found


@pytest.mark.parametrize(
    ("best", "epochs", "found"), [(20, 40, True), (21, 40, False), (5, 25, True), (5, 24, False), (0, 0, False)]
)
def test_best_epoch_is_long_ago_after_20_epochs_and_as_many_as_it_took(best: int, epochs: int, found: bool) -> None:
    metrics = scored(90, 100, best_epoch=best, epochs=epochs)
    words = f"Epoch {best} of {epochs} was the best", "from 0.500 there to 0.500", "train.patience: 10"
    assert said(idle_epochs(facts(losses=[0.5] * epochs, metrics=metrics)), *words) is found


@pytest.mark.parametrize(("correct", "found"), [(150, True), (156, True), (157, False), (171, False)])
def test_train_is_far_above_evaluation_where_five_points_are_not_chance(correct: int, found: bool) -> None:
    words = "100.0% of the 513 training images", f"{correct / 171:.1%} of the 171 test images", "head.dropout"
    run = facts(metrics=scored(correct, 171), correct=513, labels=Counter(metal=400, glass=113))
    assert said(overfitted(run), *words) is found


@pytest.mark.parametrize(("correct", "images", "found"), [(145, 171, True), (160, 163, False), (777, 800, False)])
def test_a_split_is_too_small_where_the_interval_spans_more_than_ten_points(
    correct: int, images: int, found: bool
) -> None:
    words = f"With {images} test images", "anywhere from 78.7% to 89.4%", "less than 3.5 points", "split.test_fraction"
    assert said(small_split(facts(metrics=scored(correct, images))), *words) is found


@pytest.mark.parametrize(
    ("rare", "weights", "found"), [(50, "none", True), (51, "none", False), (9, "balanced", False)]
)
def test_classes_are_out_of_balance_from_twice_as_many_images_on(rare: int, weights: str, found: bool) -> None:
    run = facts(labels=Counter(cats=rare, dogs=100), plan=plan(class_weights=weights))
    words = "Of the class dogs there are 100 training images, of cats 50, 2.0 times fewer", "class_weights: balanced"
    assert said(out_of_balance(run), *words) is found


@pytest.mark.parametrize(
    ("fingerprint", "found"),
    [
        (MOBILENET | {"preprocess": "rescale"}, True),
        (MOBILENET, False),
        (CUSTOM, False),  # nobody knows what it was trained on
        (PIXELS, False),
    ],
)
def test_foreign_preprocessing_is_any_but_that_of_a_known_network(fingerprint: dict[str, Any], found: bool) -> None:
    words = "MobileNet was trained on pixels preprocessed as tf, and is given rescale", "backbone.preprocess: native"
    assert said(foreign_preprocessing(facts(fingerprint=fingerprint)), *words) is found


@pytest.mark.parametrize(
    ("fingerprint", "odd", "width", "found"),
    [
        (MOBILENET, 6, 49, True),
        (PIXELS, 6, 49, True),
        (MOBILENET, 6, 50, False),
        (MOBILENET, 5, 49, False),
        (CUSTOM, 10, 8, False),
    ],
)
def test_images_are_far_too_small_where_most_have_not_half_the_side(
    fingerprint: dict[str, Any], odd: int, width: int, found: bool
) -> None:
    words = "6 of 10 images have a side shorter than half of the 100 pixels", "(median 49)", "backbone.image_side"
    run = facts(photos=gathered(photos(10, odd, width=width)), fingerprint=fingerprint)
    assert said(small_images(run), *words) is found


@pytest.mark.parametrize(
    ("fingerprint", "odd", "found"),
    [
        (MOBILENET, 6, True),
        (PIXELS, 6, True),
        (MOBILENET, 5, False),
        (CUSTOM, 10, False),
        (PIXELS | {"color_mode": "grayscale"}, 10, False),
    ],
)
def test_images_are_grey_where_most_have_no_colour(fingerprint: dict[str, Any], odd: int, found: bool) -> None:
    words = "6 of 10 images have no colour", "backbone.color_mode: grayscale"
    run = facts(photos=gathered(photos(10, odd, grey=1)), fingerprint=fingerprint)
    assert said(grey_images(run), *words) is found


@pytest.mark.parametrize(
    ("count", "examined", "found"), [(2, 171, True), (9, 800, True), (8, 800, False), (1, 20, False), (0, 0, False)]
)
def test_near_copies_count_from_two_and_one_in_a_hundred_on(count: int, examined: int, found: bool) -> None:
    images = photos(20, 0)
    pairs = [NearCopy(0.01, image.hash, copy.hash) for image in images[:count] for copy in images[-2:]]
    words = f"{count} of {examined} test images", "such as cats/0.jpg and cats/18.jpg", "has all pairs."
    advice = "copy metrics/labels.csv into the folder of the photos", "in place of your CSV", "run `dvc repro`"
    run = facts(copies=NearCopies(examined, pairs), photos=gathered(images))
    assert said(copies_across_splits(run), *words, *advice) is found


@pytest.mark.parametrize(
    ("examined", "complete", "listed", "again"),
    [(800, True, "all pairs", False), (800, False, "9 of the pairs", False), (100, True, "all pairs", True)],
)
def test_it_is_told_where_near_copies_are_not_listed_or_not_looked_for(
    examined: int, complete: bool, listed: str, again: bool
) -> None:
    images = photos(20, 0)
    pairs = [NearCopy(0.01, image.hash, images[-1].hash) for image in images[:9]]
    finding = copies_across_splits(facts(copies=NearCopies(examined, pairs, complete), photos=gathered(images)))
    assert finding is not None
    assert finding.evidence.endswith(f"metrics/near_copies.csv has {listed}.")
    assert finding.advice.endswith("the others were not compared.") is again


def test_a_healthy_run_raises_no_finding_and_a_sick_one_the_causes_first() -> None:
    assert find_all(facts()) == []
    sick = facts(metrics=scored(107, 171), losses=falling(0.05, 50), fingerprint=MOBILENET | {"preprocess": "rescale"})
    names = [finding.name for finding in find_all(sick)]
    causes = ["loss-still-falling", "foreign-preprocessing"]
    assert names == [*causes, "train-far-above-evaluation", "overconfident", "evaluated-split-too-small"]


def test_each_finding_is_known_and_has_a_rank_of_its_own() -> None:
    ranks = [rank for rank, _ in CHECKS]
    assert len(ranks) == len(set(ranks))
    learning = {
        stuck_at_chance,
        not_converged,
        still_falling,
        idle_epochs,
        overfitted,
        small_split,
        out_of_balance,
        overconfident,
    }
    photos = {foreign_preprocessing, small_images, grey_images, copies_across_splits}
    assert learning | photos <= {check for _, check in CHECKS}


def test_a_head_without_steps_is_given_no_advice_about_steps() -> None:
    metrics = scored(85, 171, best_epoch=0, epochs=0)
    labels = Counter(metal=200, glass=200, plastic=113)
    run = facts(plan=head_plan("logistic"), metrics=metrics, losses=[0.9], correct=200, labels=labels)
    found = {finding.name: finding.advice for finding in find_all(run)}
    assert found["stuck-at-chance"] == "Cut at another backbone.layer."
    assert not any("train.learning_rate" in advice for advice in found.values())


def test_findings_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    findings = [Finding("a", "Of caf\udce9 there are 2.", "Set split.seed."), Finding("b", "Of b 3.", "Set it.")]
    write_json(path, [finding._asdict() for finding in findings])
    assert read_findings(path) == findings


@pytest.mark.parametrize("content", [None, "", "[", '[{"name": "a"}]', "[1]", "3"])
def test_what_are_no_findings_is_refused_with_the_way_out(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "findings.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"findings\.json cannot be read: .*`dvc repro` brings it up to date"):
        read_findings(path)


@pytest.mark.parametrize(
    ("kind", "head", "shape", "advised"),
    [
        (
            "mlp",
            {},
            [9, 9, 512],
            "fewer values (head.pooling: avg), fewer head.hidden_units, more head.dropout or more",
        ),
        ("mlp", {"pooling": "avg"}, [9, 9, 512], "give it fewer head.hidden_units, more head.dropout or more photos."),
        ("linear", {}, [9, 9, 512], "give it fewer values (head.pooling: avg) or more photos."),
        ("logistic", {}, [1024], "give it more photos."),
    ],
)
def test_a_head_that_learned_by_heart_is_advised_what_it_can_change(
    kind: str, head: dict[str, Any], shape: list[int], advised: str
) -> None:
    learned = facts(plan=head_plan(kind, head), shape=shape, correct=2000, metrics=scored(600, 800))
    assert advised in getattr(overfitted(learned), "advice", "")


def test_patience_is_advised_where_it_ended_the_training() -> None:
    falling = [1.2 - 0.02 * epoch for epoch in range(20)]
    for epochs, advised in ((20, "or more train.epochs."), (50, "or a larger train.patience.")):
        finding = still_falling(facts(losses=falling, plan=plan(epochs=epochs)))
        assert finding is not None
        assert finding.advice.endswith(advised)


def test_a_head_is_overconfident_from_five_points_above_the_interval_on() -> None:
    metrics = scored(688, 800)
    assert overconfident(facts(metrics=metrics, confidence=metrics.accuracy_high + 0.049)) is None
    sure = facts(metrics=metrics, confidence=metrics.accuracy_high + 0.051)
    assert said(overconfident(sure), "86.0% right", "train.monitor: loss", "head.kind: logistic")
    by_loss = overconfident(dataclasses.replace(sure, plan=plan(monitor="loss")))
    assert by_loss is not None
    assert "train.monitor" not in by_loss.advice
    logistic = overconfident(dataclasses.replace(sure, plan=head_plan("logistic")))
    assert logistic is not None
    assert "head.kind" not in logistic.advice
