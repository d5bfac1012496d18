"""The trained head: plain arrays, and for heads with convolutions a Keras network below the dense layers."""

import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from onepass.core import UserError, write_atomically, write_json
from onepass.heads import familiarity
from onepass.heads.limits import Limits
from onepass.params import Pooling

DESCRIPTION_FILE = "head.json"
WEIGHTS_FILE = "weights.npz"
PROTOTYPES_FILE = "prototypes.npy"
AGAIN = "`dvc repro --force train-head` trains it again."
Arrays = Sequence[NDArray[np.float32]]  # kernel, bias, kernel, bias, ... from the features to the logits


class Figures(NamedTuple):
    """Means over the images of a split."""

    loss: float  # cross-entropy, in nats
    accuracy: float


class TrainedHead(NamedTuple):
    """A head and what it needs to be applied: features -> network, if any -> scale, pooling, length -> dense layers."""

    classes: list[str]  # sorted; a class's number is its place here
    activation: str  # sigmoid (one logit, for classes[1]) | softmax (a logit a class)
    feature_scale: float  # features are multiplied by this: 1/255 where they are pixels
    pooling: str  # none (all values, flattened) | avg | max
    network: dict[str, Any] | None = None  # Keras's description of layers that come before: see inference.py
    trained_parameters: int = 0
    best_epoch: int = 0  # counted from 1; 0 where the validation images chose none
    epochs: int = 0  # that were run
    converged: bool = True  # or a search for a minimum was ended on its way
    weights: Arrays = ()
    network_weights: Arrays = ()
    unit_length: bool = False  # what the dense layers are given is divided by its length
    temperature: float | None = None  # that the last layer has been divided by; None: by none
    limits: Limits | None = None  # up to where answers are believed; None: nobody chose any
    prototypes: NDArray[np.float32] | None = None  # (prototypes, channels): see familiarity.py

    @property
    def logits(self) -> int:
        """How many numbers the last layer gives."""
        return 1 if self.activation == "sigmoid" else len(self.classes)

    def at_temperature(self, temperature: float) -> Self:
        """The head whose logits are divided by this."""
        last = [(array / temperature).astype(np.float32) for array in self.weights[-2:]]
        return self._replace(weights=[*self.weights[:-2], *last], temperature=temperature)

    def distances(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """How far photos are from those that trained, (images,), 0..2; of a head with prototypes.

        Args:
            features: (images, *shape), as they are stored.

        """
        assert self.prototypes is not None  # noqa: S101 - for mypy
        return familiarity.distances(features, self.prototypes)

    def inputs(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """Features as the dense layers see them: float32 (images, values).

        Args:
            features: (images, *shape); (images, height, width, channels) where there is something to pool.

        """
        if self.pooling == "avg":
            features = features.mean(axis=(1, 2), dtype=np.float32)
        if self.pooling == "max":
            features = features.max(axis=(1, 2))
        values = features.reshape(len(features), -1).astype(np.float32) * np.float32(self.feature_scale)
        return familiarity.unit_length(values) if self.unit_length else values

    def probabilities(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """(images, classes), rows sum to 1.

        Args:
            features: (images, *shape), as they are stored, or what the head's network made of them.

        """
        from scipy.special import expit, softmax  # noqa: PLC0415 - costs 0.1 s, and not everyone asks a head

        activations = self.inputs(features)
        layers = list(zip(self.weights[::2], self.weights[1::2], strict=True))
        for kernel, bias in layers[:-1]:
            activations = np.maximum(activations @ kernel + bias, 0)
        logits = (activations @ layers[-1][0] + layers[-1][1]).astype(np.float64)
        if self.activation == "sigmoid":
            return np.hstack([expit(-logits), expit(logits)])
        return np.asarray(softmax(logits, axis=1))


class Description(BaseModel):
    """head.json: what a head is but for its arrays, checked to the last key."""

    model_config = ConfigDict(extra="forbid", strict=True)
    classes: Annotated[list[Any], Field(min_length=2)]  # names, of folders: pydantic's texts are always UTF-8
    activation: Literal["sigmoid", "softmax"]
    feature_scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    pooling: Pooling
    network: dict[str, Any] | None
    trained_parameters: Annotated[int, Field(ge=0)]
    best_epoch: Annotated[int, Field(ge=0)]
    epochs: Annotated[int, Field(ge=0)]
    converged: bool = True
    unit_length: bool = False
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    limits: Limits | None = None

    @model_validator(mode="after")
    def _classes_are_those_of_the_activation(self) -> Self:
        if not all(isinstance(name, str) for name in self.classes) or self.classes != sorted(set(self.classes)):
            raise ValueError("classes: expected names, each once, in order")
        if self.activation == "sigmoid" and len(self.classes) != 2:
            raise ValueError("activation: sigmoid is for two classes")
        return self


def write_head(folder: Path, head: TrainedHead) -> None:
    """An identical head gives identical bytes: numpy's archive holds no dates."""
    content = io.BytesIO()
    arrays = {f"dense_{number}": array for number, array in enumerate(head.weights)}
    arrays |= {f"network_{number}": array for number, array in enumerate(head.network_weights)}
    np.savez(content, allow_pickle=False, **arrays)
    write_atomically(folder / WEIGHTS_FILE, content.getvalue())
    if head.prototypes is not None:  # a file of their own: heads of the same photos and backbone share it in the cache
        content = io.BytesIO()
        np.save(content, head.prototypes, allow_pickle=False)
        write_atomically(folder / PROTOTYPES_FILE, content.getvalue())
    description = head._asdict()
    del description["weights"], description["network_weights"], description["prototypes"]
    defaults = TrainedHead._field_defaults
    for name in ("converged", "unit_length", "temperature", "limits"):  # said of those heads alone that have them
        if description[name] == defaults[name]:
            del description[name]
    if head.limits:
        description["limits"] = head.limits.model_dump()
    write_json(folder / DESCRIPTION_FILE, description)


def read_head(folder: Path) -> TrainedHead:
    """The head in ``folder``. UserError where it is missing or damaged."""
    try:
        description = Description.model_validate(json.loads((folder / DESCRIPTION_FILE).read_bytes()))
        with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as archive:
            weights = {
                kind: [archive[f"{kind}_{number}"] for number in range(sum(name.startswith(kind) for name in archive))]
                for kind in ("dense", "network")
            }
        found = TrainedHead(**dict(description), weights=weights["dense"], network_weights=weights["network"])
        if found.limits:
            found = found._replace(prototypes=np.load(folder / PROTOTYPES_FILE, allow_pickle=False))
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, (DESCRIPTION_FILE, *wrong["loc"])))
        raise UserError(f"{folder} holds no readable head ({where}: {wrong['msg']}). {AGAIN}") from error
    except (OSError, ValueError, TypeError, KeyError, EOFError, RuntimeError, BadZipFile) as error:
        raise UserError(f"{folder} holds no readable head ({error}). {AGAIN}") from error
    prototypes = found.prototypes
    kept = [*found.weights, *([] if prototypes is None else [prototypes])]
    if any(array.dtype != np.float32 or not np.isfinite(array).all() for array in kept):
        raise UserError(f"{folder} holds weights that are no finite numbers of 32 bits. {AGAIN}")
    shapes = [array.shape for array in found.weights]
    if not _fit_together(shapes, found.logits):
        raise UserError(f"{folder}: layers of the shapes {shapes} are no head for {len(found.classes)} classes.")
    if prototypes is not None and (prototypes.ndim != 2 or not len(prototypes)):
        raise UserError(f"{folder}: prototypes of the shape {prototypes.shape}; expected rows of features. {AGAIN}")
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
