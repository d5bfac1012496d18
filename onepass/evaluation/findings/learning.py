"""Findings about how the head learned, and how surely that was measured.

A threshold is where noise ends, by a test or by measurement. Measured is what the comments say on 2,000 + 800 photos of
cats and dogs with MobileNet at 150 pixels, and on the embedded digits.
"""

import math
from itertools import pairwise

import numpy as np

from onepass.evaluation.findings.finding import Finding, RunFacts, register_finding
from onepass.heads import GradientTraining, HiddenLayers
from onepass.statistics import wilson

# A fifth of the epochs that still takes this much of ln(classes), the loss of a guess, off the validation loss: as many
# epochs again would take off as much. 0.016 to 0.044 with steps of 1e-5; at most 0.000 in runs that had converged.
FALLING = 0.01
FEWEST_EPOCHS = 5  # to speak of fifths
IDLE_EPOCHS = 20  # twice the patience of params.yaml: a run that ended by it is never meant
GAP = 0.05  # in accuracy, beyond chance: 0.004 (digits) and 0.018 (cats and dogs) are usual
# Mean confidence above the upper end of the accuracy's interval: -0.011 on the digits, 0.032 for SqueezeNet on cats and
# dogs, which is sound; a head that is 99 % sure and has 147 of 171 right is 0.09 above.
OVERCONFIDENCE = 0.05
WIDEST = 0.10  # 95 % interval: five points to each side, more than most changes to a run bring
IMBALANCE = 2  # half of the cats left out: recall of cats 0.98 to 0.94, with balanced weights 0.98


@register_finding(rank=10)
def stuck_at_chance(facts: RunFacts) -> Finding | None:
    """The head does no better on its own training images than always naming the largest class."""
    correct, images, ((largest, most),) = facts.correct, facts.labels.total(), facts.labels.most_common(1)
    if wilson(correct / images, images)[0] > most / images:
        return None
    advice = "Cut at another backbone.layer."
    if isinstance(facts.plan.train, GradientTraining):
        advice = (
            f"Change train.learning_rate by a factor of ten ({facts.plan.train.learning_rate:g} given); if that does "
            "not help, cut at another backbone.layer."
        )
    return Finding(
        "stuck-at-chance",
        f"Of the {images} training images the head has {correct / images:.1%} right, no more than by always answering "
        f"{largest} ({most / images:.1%}).",
        advice,
    )


@register_finding(rank=15)
def not_converged(facts: RunFacts) -> Finding | None:
    """The search for the regression with the lowest loss was ended before it was there."""
    if facts.converged:
        return None
    return Finding(
        "regression-not-converged",
        f"The search for the lowest loss of head.kind: {facts.plan.kind.name} was ended at its limit of iterations: "
        "the head is not yet the one that was sought.",
        f"Try {_listed([*_smaller_heads(facts), 'another backbone.layer'])}.",
    )


@register_finding(rank=20)
def still_falling(facts: RunFacts) -> Finding | None:
    """The validation loss was on its way down when training ended."""
    losses, classes, train = facts.losses, len(facts.labels), facts.plan.train
    fifth = len(losses) // 5
    if len(losses) < FEWEST_EPOCHS or not all(map(math.isfinite, losses)):
        return None
    before, last = losses[-2 * fifth : -fifth], losses[-fifth:]
    drop = float(np.mean(before) - np.mean(last))
    # What drop may be from the ups and downs of neighbours alone: two standard errors of a difference of two means.
    noise = 2 * float(np.std([b - a for a, b in pairwise(before + last)]) / math.sqrt(2)) * math.sqrt(2 / fifth)
    if drop < max(FALLING * math.log(classes), noise) or min(losses) < min(last):
        return None
    longer = "more train.epochs" if len(losses) == train.epochs else "a larger train.patience"
    return Finding(
        "loss-still-falling",
        f"The validation loss fell by another {drop:.3f} in the last {_epochs(fifth)}, to {losses[-1]:.3f} in epoch "
        f"{len(losses)}, its lowest so far; a guess has {math.log(classes):.3f}.",
        f"Training ended too early or its steps are too small: try train.learning_rate: {train.learning_rate * 10:g} "
        f"({train.learning_rate:g} given), or {longer}.",
    )


@register_finding(rank=90)
def idle_epochs(facts: RunFacts) -> Finding | None:
    """After the best epoch training ran as long again, and to no use."""
    losses, best, epochs = facts.losses, facts.metrics.best_epoch, facts.metrics.epochs
    if len(losses) < epochs or epochs - best < max(IDLE_EPOCHS, best):
        return None
    dropout = " or more head.dropout" if isinstance(facts.plan.head, HiddenLayers) else ""
    return Finding(
        "best-epoch-long-ago",
        f"Epoch {best} of {epochs} was the best; the validation loss went from {losses[best - 1]:.3f} there to "
        f"{losses[-1]:.3f} at the end.",
        f"Set train.patience: 10 to stop sooner; a train.learning_rate below {facts.plan.train.learning_rate:g}"
        f"{dropout} may lead to a better epoch later.",
    )


@register_finding(rank=80)
def overfitted(facts: RunFacts) -> Finding | None:
    """The training images are told apart far better than the evaluated ones.

    Judged by the lower end of the 95 % interval of the difference (Newcombe, 1998, method 10).
    """
    metrics, images = facts.metrics, facts.labels.total()
    accuracy = facts.correct / images
    gap = accuracy - metrics.accuracy
    lower = gap - math.hypot(accuracy - wilson(accuracy, images)[0], metrics.accuracy_high - metrics.accuracy)
    if lower <= GAP:
        return None
    return Finding(
        "train-far-above-evaluation",
        f"The head has {accuracy:.1%} of the {images} training images right, but {metrics.accuracy:.1%} of the "
        f"{metrics.images} {metrics.split} images: at least {100 * lower:.0f} points of that are not chance.",
        f"It learned its photos by heart: give it {_listed([*_smaller_heads(facts), 'more photos'])}.",
    )


def _smaller_heads(facts: RunFacts) -> list[str]:
    """What this run can change so that its head learns less by heart."""
    head = facts.plan.head
    changes = []
    if len(facts.shape) == 3 and head.pooling == "none":
        changes.append("fewer values (head.pooling: avg)")
    if isinstance(head, HiddenLayers):
        changes += ["fewer head.hidden_units", "more head.dropout"]
    return changes


@register_finding(rank=85)
def overconfident(facts: RunFacts) -> Finding | None:
    """The head is surer than it is right, by more than chance explains: see the reliability of the report."""
    metrics = facts.metrics
    if facts.confidence - metrics.accuracy_high <= OVERCONFIDENCE:
        return None
    advice = (
        "Of such probabilities only the order can be trusted; more photos, or more alike those that it will see, help."
    )
    if isinstance(facts.plan.train, GradientTraining):
        monitor = "" if facts.plan.train.monitor == "loss" else "train.monitor: loss, which keeps an earlier epoch, or "
        advice = f"Try {monitor}head.kind: logistic, whose strength cross-validation chooses by the log loss."
    return Finding(
        "overconfident",
        f"On average the head is {facts.confidence:.1%} sure of the {metrics.images} {metrics.split} images, and has "
        f"{metrics.accuracy:.1%} right (at most {metrics.accuracy_high:.1%}, with its interval).",
        advice,
    )


@register_finding(rank=100)
def small_split(facts: RunFacts) -> Finding | None:
    """The interval of the accuracy is wider than the differences that one would like to see.

    Of images that two runs answer differently, an exact McNemar test needs six, all one way: 2 * 0.5**6 < 0.05.
    """
    metrics = facts.metrics
    low, high, images = metrics.accuracy_low, metrics.accuracy_high, metrics.images
    if high - low <= WIDEST:
        return None
    return Finding(
        "evaluated-split-too-small",
        f"With {images} {metrics.split} images the accuracy is anywhere from {low:.1%} to {high:.1%}, and two runs "
        f"that differ by less than {600 / images:.1f} points can never be told apart.",
        f"Add photos, or raise split.{metrics.split}_fraction where the split is not given with the photos.",
    )


@register_finding(rank=70)
def out_of_balance(facts: RunFacts) -> Finding | None:
    """One class has many more training images than another, and they all weigh the same."""
    labels = facts.labels
    (largest, most), (smallest, fewest) = labels.most_common()[0], min(labels.items(), key=lambda item: item[::-1])
    if facts.plan.train.class_weights != "none" or most < IMBALANCE * fewest:
        return None
    return Finding(
        "classes-out-of-balance",
        f"Of the class {largest} there are {most} training images, of {smallest} {fewest}, {most / fewest:.1f} times "
        "fewer: a head that rarely answers the small class loses little.",
        "Set train.class_weights: balanced, and look at the recall of each class in metrics/classes.csv.",
    )


def _epochs(count: int) -> str:
    return "epoch" if count == 1 else f"{count} epochs"


def _listed(items: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
