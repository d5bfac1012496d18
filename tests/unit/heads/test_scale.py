"""head.scale: what the dense layers are given, and that the saved head and plain features need nothing beside it."""

from typing import Any

import numpy as np
import pytest

from onepass.heads import Dataset
from onepass.heads.familiarity import unit_length
from onepass.heads.standardised import scaling_of
from onepass.params import ParamsError
from tests.builders import head_plan
from tests.unit.heads.small_heads import blobs, fit

UNLIKE = np.array([0.001, 1, 50, 3000], np.float32)  # scales of values, on which plain steps get nowhere


def unlike(seed: int) -> Dataset:
    """Clouds whose values have scales and means of their own."""
    data = blobs([60, 60], seed, distance=3)
    return data._replace(features=((data.features + 2) * UNLIKE).astype(np.float32))


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_standard_makes_up_for_scales_and_the_saved_head_takes_plain_features(kind: str) -> None:
    data, validation = unlike(0), unlike(1)
    plain, _ = fit(data, validation, 1, kind)
    scaled, logged = fit(data, validation, 1, kind, {"scale": "standard"})

    def accuracy(head: Any) -> float:
        return float((head.probabilities(validation.features).argmax(axis=1) == validation.labels).mean())

    assert accuracy(scaled) >= 0.95 > accuracy(plain)
    assert accuracy(scaled) == pytest.approx(logged[scaled.best_epoch - 1].accuracy)


@pytest.mark.parametrize("kind", ["linear", "mlp", "logistic", "lda"])
def test_with_l2_only_directions_count(kind: str) -> None:
    data, validation = blobs([40, 40], 0, distance=4), blobs([40, 40], 1, distance=4)
    head, _ = fit(data, validation, 1, kind, {"scale": "l2"})
    lengths = np.random.default_rng(0).uniform(0.1, 10, (80, 1)).astype(np.float32)
    assert head.unit_length
    found = head.probabilities(validation.features)
    np.testing.assert_allclose(head.probabilities(validation.features * lengths), found, atol=1e-5)
    assert (found.argmax(axis=1) == validation.labels).mean() > 0.9


def test_rows_of_zeros_stay_and_the_others_get_length_one() -> None:
    rows = np.array([[0, 0], [3, 4], [1e-20, 0], [1e30, 1e30]], np.float32)
    lengths = np.linalg.norm(unit_length(rows).astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, [0, 1, 1e-8, 1], rtol=1e-6)


def test_a_value_that_never_varies_becomes_zero_and_weighs_nothing() -> None:
    features = np.column_stack([np.full(5000, 0.1), np.arange(5000)]).astype(np.float32)
    scaling = scaling_of(features)
    scaled = scaling.apply(features)
    assert (scaled[:, 0] == 0).all()
    assert scaled[:, 1].std() == pytest.approx(1, abs=1e-5)
    kernel, bias = scaling.folded_into(np.array([[5.0], [2.0]]), np.array([1.0]))
    np.testing.assert_allclose(features @ kernel + bias, scaled @ [[5.0], [2.0]] + 1, atol=1e-4)


def test_a_head_that_is_trained_with_layers_of_the_backbone_is_not_scaled() -> None:
    with pytest.raises(ParamsError, match=r"head.scale: l2 given with train.unfreeze: last; allowed: none"):
        head_plan("linear", {"scale": "l2"}, {"unfreeze": "last"})
