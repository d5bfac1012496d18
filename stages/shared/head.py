"""The trained head: dense layers as plain arrays, read and applied without TensorFlow."""

import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from stages.shared.durable import write_json, write_whole
from stages.shared.errors import UserError

DESCRIPTION_FILE = "head.json"
WEIGHTS_FILE = "weights.npz"
Arrays = list[NDArray[np.float32]]  # kernel, bias, kernel, bias, ... from the features to the logits


class Labelled(NamedTuple):
    """Features with their classes: what a head is trained on."""

    features: NDArray[np.float32]  # (images, values)
    labels: NDArray[np.int64]  # (images,), numbers of classes


class Head(NamedTuple):
    """A head and what it needs to be applied."""

    classes: list[str]  # sorted; a class's number is its place here
    activation: str  # sigmoid (one logit, for classes[1]) | softmax (a logit a class)
    feature_scale: float  # features are multiplied by this: 1/255 where they are pixels
    best_epoch: int  # counted from 1
    epochs: int  # that were run
    weights: Arrays

    def probabilities(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """(images, classes), rows sum to 1.

        Args:
            features: (images, *shape), as they are stored.

        """
        activations = flat(features, self.feature_scale)
        layers = list(zip(self.weights[::2], self.weights[1::2], strict=True))
        for kernel, bias in layers[:-1]:
            activations = np.maximum(activations @ kernel + bias, 0)
        logits = (activations @ layers[-1][0] + layers[-1][1]).astype(np.float64)
        if self.activation == "sigmoid":
            return np.hstack([expit(-logits), expit(logits)])
        return np.asarray(softmax(logits, axis=1))


def flat(features: NDArray[Any], scale: float) -> NDArray[np.float32]:
    """Features as the head sees them: float32 (images, values)."""
    return features.reshape(len(features), -1).astype(np.float32) * np.float32(scale)


def write_head(folder: Path, head: Head) -> None:
    """An identical head gives identical bytes: numpy's archive holds no dates."""
    content = io.BytesIO()
    np.savez(content, *head.weights)
    write_whole(folder / WEIGHTS_FILE, content.getvalue())
    description = head._asdict()
    del description["weights"]
    write_json(folder / DESCRIPTION_FILE, description)


def read_head(folder: Path) -> Head:
    """The head in ``folder``. UserError where it is missing or damaged."""
    try:
        description = json.loads((folder / DESCRIPTION_FILE).read_bytes())
        with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as archive:
            weights = [archive[f"arr_{number}"] for number in range(len(archive.files))]
        found = Head(**description, weights=weights)
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
        raise UserError(f"{folder} holds no readable head ({error}). `dvc repro` trains it again.") from error
    shapes = [array.shape for array in found.weights]
    if not _fit_together(shapes, 1 if found.activation == "sigmoid" else len(found.classes)):
        raise UserError(f"{folder}: layers of the shapes {shapes} are no head for {len(found.classes)} classes.")
    return found


def _fit_together(shapes: list[tuple[int, ...]], logits: int) -> bool:
    """Kernel, bias, kernel, bias, ... each fitting the one before, down to the logits."""
    kernels, biases = shapes[::2], shapes[1::2]
    return (
        len(kernels) == len(biases) > 0
        and all(len(kernel) == 2 and bias == kernel[1:] for kernel, bias in zip(kernels, biases, strict=True))
        and all(before[1] == after[0] for before, after in pairwise(kernels))
        and kernels[-1][1] == logits
    )
