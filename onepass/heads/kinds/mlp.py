"""The multilayer perceptron: hidden dense layers with relu and dropout, then a dense layer to the classes."""

from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.sections import FineTuning, HiddenLayers, ScaledFeatures
from onepass.heads.trained_head import TrainedHead


class MlpSection(HiddenLayers, ScaledFeatures):
    """Hidden layers on the features."""


def fit_mlp(task: FitTask) -> TrainedHead:
    """Trained step by step; the best epoch is kept."""
    from onepass.heads.gradient_training import fit_by_gradient  # noqa: PLC0415 - imports TensorFlow

    return fit_by_gradient(task, task.head.layers)


register_head(HeadKind("mlp", MlpSection, FineTuning, fit_mlp))
