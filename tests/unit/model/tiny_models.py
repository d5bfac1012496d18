"""What the tests of models share: the tiny backbone with changes, and a whole model in a file."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.backbones import Backbone
from onepass.heads import TrainedHead
from onepass.model import write_model
from tests import builders
from tests.unit.heads.small_heads import dense_arrays, knowing

SIDE = 16


def backbone(weights: Path, **changes: Any) -> Backbone:
    """The tiny backbone, cut at its layer late unless the changes say otherwise."""
    given: dict[str, Any] = {"weights": str(weights), "image_side": SIDE, "layer": "late", **changes}
    return builders.backbone(**given)


def mlp(stored: NDArray[Any], classes: list[str]) -> TrainedHead:
    """A head with random weights for three classes, on these features."""
    weights = dense_arrays(stored[0].size, 6, 5, 3)
    return TrainedHead(classes, "softmax", 1.0, "none", weights=weights)


def model_file(folder: Path, weights: Path, classes: list[str], **changes: Any) -> Path:
    """A model as train-head writes it, of the pooled features of the tiny backbone."""
    path = folder / "model.keras"
    write_model(path, backbone(weights, pooling="avg", **changes), knowing(mlp(np.zeros((1, 8)), classes), 8))
    return path
