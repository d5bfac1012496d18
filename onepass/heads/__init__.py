"""Heads: what is trained on stored features. A file a kind, in ``kinds``.

A kind says which keys of the sections head and train it reads, with their defaults, and how it is fitted. Whatever
the kind, what comes out is a ``TrainedHead``: plain arrays, and for some a Keras network below them. Knows nothing
of pixels, nor of where the features come from. TensorFlow is imported when a kind that needs it is fitted.
"""

from onepass.heads import kinds
from onepass.heads.calibration import HELD, calibrated
from onepass.heads.cheap import CHEAP_HEADS, CheapHead
from onepass.heads.curve_files import CURVES, CurveWriter, curve_file
from onepass.heads.dataset import Dataset, make_dataset
from onepass.heads.familiarity import NEIGHBOURS, SHORTEST, distances, root_directions
from onepass.heads.fit_task import make_fit_task, resolve_activation, unfrozen_layers
from onepass.heads.folds import share_by_class
from onepass.heads.head_kind import (
    FitTask,
    HeadKind,
    HeadPlan,
    all_head_keys,
    check_pooling,
    read_head_plan,
    read_head_section,
    register_head,
)
from onepass.heads.inference import OnBatch, figures, network_of, pooling_layer, predictor, restore_network
from onepass.heads.limits import Limits
from onepass.heads.many_rows import chosen_rows, said_of_rows
from onepass.heads.sections import AnyTraining, FineTuning, GradientTraining, HeadSection, HiddenLayers, ScaledFeatures
from onepass.heads.trained_head import (
    DESCRIPTION_FILE,
    WEIGHTS_FILE,
    Figures,
    TrainedHead,
    read_head,
    write_head,
)

__all__ = [
    "CHEAP_HEADS",
    "CURVES",
    "DESCRIPTION_FILE",
    "HELD",
    "NEIGHBOURS",
    "SHORTEST",
    "WEIGHTS_FILE",
    "AnyTraining",
    "CheapHead",
    "CurveWriter",
    "Dataset",
    "Figures",
    "FineTuning",
    "FitTask",
    "GradientTraining",
    "HeadKind",
    "HeadPlan",
    "HeadSection",
    "HiddenLayers",
    "Limits",
    "OnBatch",
    "ScaledFeatures",
    "TrainedHead",
    "all_head_keys",
    "calibrated",
    "check_pooling",
    "chosen_rows",
    "curve_file",
    "distances",
    "figures",
    "kinds",
    "make_dataset",
    "make_fit_task",
    "network_of",
    "pooling_layer",
    "predictor",
    "read_head",
    "read_head_plan",
    "read_head_section",
    "register_head",
    "resolve_activation",
    "restore_network",
    "root_directions",
    "said_of_rows",
    "share_by_class",
    "unfrozen_layers",
    "write_head",
]
