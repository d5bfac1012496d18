"""A network in an ONNX file from elsewhere gives right features, or is refused in bounded time and memory, in words."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.backbones import Network
from onepass.core import UserError
from tests.builders import backbone
from tests.hostile.mutations import mutated
from tests.hostile.onnx_files import CASES, SIDE, Case, expected, network

pytestmark = pytest.mark.more
EACH = int(os.environ.get("ONEPASS_MUTATIONS", "20"))
ENGINES = ("openvino", "onnxruntime")


def found(weights: Path, engine: str, **changes: Any) -> Network:
    """The network in a file, not read yet."""
    given = {"name": "onnx", "weights": str(weights), "layer": "last", "image_side": SIDE, "preprocess": "rescale"}
    return backbone(**{**given, "runtime": engine, **changes}).load()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_file_gives_right_features_or_is_refused_in_words(case: Case, engine: str, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    weights = case.write(folder) or folder / "net.onnx"
    if case.said:
        with pytest.raises(UserError, match=f"(?s){case.said}"):
            found(weights, engine).feature_shape()
        return
    pixels = np.random.default_rng(1).integers(256, size=(4, SIDE, SIDE, 3), dtype=np.uint8)
    assert found(weights, engine).feature_shape().shape == [SIDE, SIDE, 4]
    features = found(weights, engine).forward(len(pixels))(pixels)
    tolerance = 0.02 if case in (CASES["quantised"], CASES["float16"]) else 1e-5
    np.testing.assert_allclose(features, expected(pixels), atol=tolerance * expected(pixels).max())


def test_flipped_bits_are_refused_or_give_features(tmp_path: Path) -> None:
    refused = 0
    for number, content in enumerate(mutated(network().SerializeToString(), seed=0, count=EACH)):
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(content)
        try:
            assert found(path, ENGINES[number % 2]).feature_shape().dtype == "float32"
        except UserError as error:
            refused += 1
            assert str(error).startswith("backbone.")
    assert 0 < refused < EACH
