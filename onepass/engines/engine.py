"""What an inference engine is, and which there are."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError


class Forward(NamedTuple):
    """A compiled network: uint8 (batch, side, side, channels) to features (batch, *shape), for one size of batch."""

    call: Callable[[NDArray[np.uint8]], NDArray[Any]]
    at_once: int  # calls that are best made at the same time, by as many threads

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return self.call(pixels)


@dataclass(frozen=True)
class Engine:
    """A way to run a frozen network."""

    name: str  # backbone.runtime
    package: str  # whose version can change the last bits of features
    # From a traced function of TensorFlow, the shape of its pixels and whether to compute in bfloat16, to one call.
    compile: Callable[[Any, tuple[int, int, int, int], bool], Forward]
    # Whether it makes a bfloat16 network of a float32 one itself, which is faster than conversions between layers.
    fuses_bfloat16: Callable[[], bool]
    # From the bytes of an ONNX model, whose one input has a fixed shape, and whether to compute in bfloat16; None: it
    # runs no such model.
    compile_onnx: Callable[[bytes, bool], Forward] | None = None
    precisions: tuple[str, ...] = ("float32", "bfloat16")  # backbone.precision


def in_pieces(forward: Forward, size: int) -> Forward:
    """Calls for any number of images, where the graph takes ``size`` of them at once."""

    def call(pixels: NDArray[np.uint8]) -> NDArray[Any]:
        found = []
        for start in range(0, len(pixels), size):
            piece = pixels[start : start + size]
            full = np.concatenate([piece, np.zeros((size - len(piece), *piece.shape[1:]), np.uint8)])
            found.append(forward(full)[: len(piece)])
        return np.concatenate(found)

    return Forward(call, forward.at_once)


ENGINES: dict[str, Engine] = {}


def register_engine(engine: Engine) -> Engine:
    """Makes an engine known under its name."""
    ENGINES[engine.name] = engine
    return engine


def engine_names() -> list[str]:
    """The values that ``backbone.runtime`` can have."""
    return sorted(ENGINES)


def find_engine(name: str) -> Engine:
    """The engine of this name. KeyError: there is none."""
    return ENGINES[name]


def library_version(package: str) -> str:
    """The installed version of an engine's library or of what it needs. UserError where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise UserError(
            f"backbone.runtime: {package} given, which is not installed here. `make .venv` installs what onepass "
            f"needs; where there is no {package} for a machine, its team uses backbone.runtime: tensorflow."
        ) from error
