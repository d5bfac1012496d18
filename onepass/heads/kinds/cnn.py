"""The convolutional head: 3x3 convolutions with relu, each halved by max-pooling, and dense layers on top.

On pixels (``backbone.layer: input``) it is a CNN from scratch.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from onepass.core import UserError
from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.sections import GradientTraining, HiddenLayers, OneOrMore
from onepass.heads.trained_head import TrainedHead


class CnnSection(HiddenLayers):
    """``filters``: of each convolution."""

    filters: OneOrMore[Annotated[int, Field(ge=1, le=4096)]] = [32, 64]  # noqa: RUF012 - pydantic copies it

    @property
    def convolutions(self) -> list[int]:
        """The filters of each."""
        return self.filters if isinstance(self.filters, list) else [self.filters]


def fit_cnn(task: FitTask) -> TrainedHead:
    """Trained step by step; the best epoch is kept."""
    from onepass.heads.gradient_training import fit_by_gradient  # noqa: PLC0415 - imports TensorFlow

    filters = task.head.convolutions
    return fit_by_gradient(task, task.head.layers, lambda: convolutions(filters, task.shape, task.empty.feature_scale))


def check_maps(head: CnnSection, shape: Sequence[int]) -> None:
    """UserError: features of this shape cannot be halved as often as there are filters."""
    filters = head.convolutions
    least = 2 ** len(filters)
    if len(shape) != 3 or min(shape[:2]) < least:
        raise UserError(
            f"head.kind: cnn with head.filters: {filters} given for features of the shape {tuple(shape)}; allowed: "
            f"(height, width, channels) of at least {least} by {least}, to be halved {len(filters)} times. "
            "Give fewer filters, a larger backbone.image_side, or backbone.pooling: none."
        )


def convolutions(filters: list[int], shape: list[int], scale: float) -> Any:
    """A Keras network from maps (batch, height, width, channels) to smaller maps, with random weights."""
    from onepass.tensorflow import keras  # noqa: PLC0415 - imports TensorFlow

    layers = [keras.Input(shape, name="maps"), keras.layers.Rescaling(scale, name="rescale")]
    for number, count in enumerate(filters, start=1):
        convolution = keras.layers.Conv2D(count, 3, padding="same", activation="relu", name=f"conv{number}")
        layers += [convolution, keras.layers.MaxPooling2D(2, name=f"halve{number}")]
    return keras.Sequential(layers, name="convolutions")


register_head(HeadKind("cnn", CnnSection, GradientTraining, fit_cnn, check_shape=check_maps))
