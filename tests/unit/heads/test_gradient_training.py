"""Training the head step by step: which epoch is kept, when it ends, and that it can be repeated."""

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import UserError
from onepass.heads import Dataset, Figures, GradientTraining, TrainedHead, resolve_activation
from onepass.heads.gradient_training import KEPT_BY_OPTIMIZER, check_memory
from onepass.tensorflow import keras
from tests.unit.heads.small_heads import blobs, fit


def predicted(head: TrainedHead, data: Dataset) -> NDArray[np.int64]:
    return np.asarray(head.probabilities(data.features).argmax(axis=1))


def as_bytes(head: TrainedHead) -> bytes:
    return b"".join(array.tobytes() for array in head.weights)


@pytest.mark.parametrize(("kind", "logits"), [("linear", 1), ("mlp", 2)])
def test_same_seed_gives_identical_bytes_and_another_seed_does_not(kind: str, logits: int) -> None:
    data = blobs([30, 30]), blobs([20, 20], seed=1), logits, kind
    (first, first_log), (again, again_log), (other, _) = (fit(*data, seed=seed, epochs=4) for seed in (0, 0, 1))
    assert first_log == again_log
    assert as_bytes(first) == as_bytes(again)
    assert as_bytes(first) != as_bytes(other)
    assert [array.shape[-1] for array in first.weights[1::2]] == ([logits] if kind == "linear" else [8, logits])


@pytest.mark.parametrize(("monitor", "logits"), [("accuracy", 1), ("loss", 3)])
def test_weights_of_the_best_logged_epoch_are_returned(monitor: str, logits: int) -> None:
    counts = [40] * max(logits, 2)
    validation = blobs(counts, seed=1)
    # Steps so large that the figures go up and down, so that the best epoch is not just the last one.
    found, log = fit(blobs(counts), validation, logits, monitor=monitor, learning_rate=0.6)
    ranks = [(figures.accuracy if monitor == "accuracy" else 0, -figures.loss) for figures in log]
    assert found.best_epoch == ranks.index(max(ranks)) + 1 < found.epochs
    accuracy = (predicted(found, validation) == validation.labels).mean()
    assert accuracy == pytest.approx(log[found.best_epoch - 1].accuracy, abs=1e-6)


def play(monitor: str, patience: int, accuracies: list[float], losses: list[float]) -> tuple[int, int]:
    """Which epoch is kept, and how many are run, where epochs have these figures."""
    from onepass.heads.gradient_training import Best

    best = Best(GradientTraining.model_validate({"monitor": monitor, "patience": patience}))
    kept = 0
    for loss, accuracy in zip(losses, accuracies, strict=True):
        if best.keeps(Figures(loss, accuracy)):
            kept = best.epochs
        if best.is_enough():
            break
    assert kept == best.epoch
    return best.epoch, best.epochs


@pytest.mark.parametrize(
    ("monitor", "accuracies", "losses", "kept"),
    [
        ("accuracy", [0.5, 0.9, 0.8], [0.1, 0.9, 0.2], 2),
        ("accuracy", [0.5, 0.9, 0.9, 0.9], [0.4, 0.3, 0.1, 0.2], 3),  # ties go to the lower loss
        ("accuracy", [0.5, 0.9, 0.9], [0.4, 0.3, 0.3], 2),  # and then to the earlier epoch
        ("loss", [0.5, 0.9, 0.8], [0.3, 0.2, 0.1], 3),
        ("loss", [0.5, 0.9, 0.8], [0.1, 0.1, 0.1], 1),
        ("accuracy", [0.5, 0.9, 0.9], [0.4, float("nan"), float("inf")], 1),  # no epoch without a finite loss
        ("loss", [0.5, 0.9, 0.9], [float("nan"), 0.4, float("inf")], 2),
    ],
)
def test_best_epoch_is_kept(monitor: str, accuracies: list[float], losses: list[float], kept: int) -> None:
    assert play(monitor, 99, accuracies, losses)[0] == kept


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (3, 7), (99, 8)])
def test_training_ends_after_patience_epochs_without_a_better_one(patience: int, epochs: int) -> None:
    accuracies = [0.5, 0.6, 0.6, 0.5, 0.4, 0.4, 0.3, 0.2]
    losses = [0.5, 0.4, 0.4, 0.6, 0.6, 0.6, 0.6, 0.6]
    if patience == 3:
        accuracies[3] = 0.7  # starts the count again
    assert play("accuracy", patience, accuracies, losses)[1] == epochs


def test_patience_stops_a_run_that_no_longer_gets_better() -> None:
    data = blobs([30, 30]), blobs([20, 20], seed=1), 1
    found, log = fit(*data, patience=2, epochs=200, learning_rate=0.6)
    assert found.epochs == found.best_epoch + 2 == len(log) < 200


def test_patience_none_runs_all_epochs() -> None:
    data = blobs([30, 30], distance=9), blobs([20, 20], seed=1, distance=9), 1
    found, log = fit(*data, patience="none", epochs=6, learning_rate=1.0)
    assert found.epochs == len(log) == 6


@pytest.mark.parametrize("logits", [1, 2])
def test_balanced_class_weights_help_the_rare_class(logits: int) -> None:
    data, validation = blobs([190, 10], distance=1), blobs([200, 200], seed=1, distance=1)
    recalls = {}
    for given in ("none", "balanced"):
        found, _ = fit(data, validation, logits, class_weights=given, monitor="loss", epochs=6, learning_rate=0.1)
        recalls[given] = float(predicted(found, validation)[validation.labels == 1].mean())
    assert recalls["balanced"] > recalls["none"] + 0.15


def test_balanced_class_weights_change_nothing_where_classes_are_equally_large() -> None:
    data = blobs([20, 20]), blobs([20, 20], seed=1), 2
    weighed, plain = (fit(*data, class_weights=given, epochs=3)[0] for given in ("balanced", "none"))
    for found, expected in zip(weighed.weights, plain.weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("logits", [1, 2])
def test_steps_too_large_are_told_with_a_smaller_learning_rate(logits: int) -> None:
    data = blobs([20, 20], size=1e25), blobs([20, 20], seed=1, size=1e25), logits
    with pytest.raises(UserError, match=r"steps are too large\. train\.learning_rate: 10 given; try 1\."):
        fit(*data, learning_rate=10.0, optimizer="sgd", epochs=2)


@pytest.mark.parametrize("optimizer", get_args(GradientTraining.model_fields["optimizer"].annotation))
def test_every_optimizer_that_params_allow_learns(optimizer: str) -> None:
    validation = blobs([30] * 3, seed=1, distance=6)
    found, _ = fit(blobs([30] * 3, distance=6), validation, 3, optimizer=optimizer, epochs=6, learning_rate=0.2)
    assert (predicted(found, validation) == validation.labels).mean() > 0.95


@pytest.mark.parametrize(
    ("given", "classes", "resolved"),
    [
        ("auto", 2, "sigmoid"),
        ("auto", 3, "softmax"),
        ("sigmoid", 2, "sigmoid"),
        ("softmax", 2, "softmax"),
        ("softmax", 3, "softmax"),
    ],
)
def test_activation_follows_the_number_of_classes_unless_given(given: str, classes: int, resolved: str) -> None:
    assert resolve_activation(given, ["ant", "bee", "cat"][:classes]) == resolved


def test_a_sigmoid_for_three_classes_is_refused_by_their_names() -> None:
    with pytest.raises(UserError, match=r"head\.activation: sigmoid given(?s:.*)are 3: ant, bee, cat"):
        resolve_activation("sigmoid", ["ant", "bee", "cat"])


def test_a_training_that_diverges_stops_there_and_keeps_the_best_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    data = blobs([30] * 3), blobs([20] * 3, seed=1), 3, "mlp"
    found, log = fit(*data, learning_rate=10.0, optimizer="sgd", epochs=40)
    assert not np.isfinite(log[-1].loss)
    assert found.best_epoch < found.epochs == len(log) < 40
    assert all(np.isfinite(array).all() for array in found.weights)
    said = f"stopped: the loss of epoch {found.epochs} was no finite number, and no later one could be: the steps are "
    assert f"{said}too large. train.learning_rate: 10 given; try 1." in capsys.readouterr().out


def test_layers_larger_than_the_memory_are_refused_before_they_are_made() -> None:
    check_memory([1000, 64, 2], "adam")
    with pytest.raises(UserError) as caught:
        check_memory([4_000_000, 65536, 2], "adam")
    said = str(caught.value)
    assert "head.hidden_units: 65536 given; on 4,000,000 values an image they need 4,194.3 GB with train.opti" in said
    assert "Lower head.hidden_units, or pool the features: backbone.pooling or head.pooling: avg." in said


def test_what_optimizers_keep_is_known() -> None:
    for name, kept in KEPT_BY_OPTIMIZER.items():
        optimizer = keras.optimizers.get(name)
        optimizer.build([keras.Variable(np.zeros((50, 50), np.float32))])
        assert sum(variable.shape == (50, 50) for variable in optimizer.variables) == kept
