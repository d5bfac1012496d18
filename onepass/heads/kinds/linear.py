"""The linear head: one dense layer from the features to the classes."""

from onepass.heads.head_kind import FitTask, HeadKind, register_head
from onepass.heads.sections import FineTuning, ScaledFeatures
from onepass.heads.trained_head import TrainedHead


def fit_linear(task: FitTask) -> TrainedHead:
    """Trained step by step; the best epoch is kept."""
    from onepass.heads.gradient_training import fit_by_gradient  # noqa: PLC0415 - imports TensorFlow

    return fit_by_gradient(task, hidden=[])


register_head(HeadKind("linear", ScaledFeatures, FineTuning, fit_linear))
