"""By how much two ways to run a model may differ."""

import numpy as np
import pytest

from onepass.model import Difference


@pytest.mark.parametrize(
    ("precision", "images", "problem"),
    [
        ("float32", [0, 1e-3], ""),
        ("float32", [0] * 99 + [3e-3], "differ by 0.003 in a probability or distance, in 100 images; allowed: 0.002"),
        ("bfloat16", [0] * 99 + [0.9], ""),
        ("bfloat16", [0.06], "differ by 0.06 on average in a probability or distance, in 1 images; allowed: 0.05"),
        ("float32", [0, np.nan], "differ by nan in a probability or distance, in 2 images; allowed: 0.002"),
        ("bfloat16", [0, np.nan], "differ by nan on average in a probability or distance, in 2 images; allowed: 0.05"),
    ],
)
def test_in_float32_no_photo_may_differ_and_in_bfloat16_not_most(
    precision: str, images: list[float], problem: str
) -> None:
    assert Difference.of(images).problem(precision) == problem
