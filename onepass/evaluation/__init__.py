"""What the head says of every image, and how good that is on images that did not train it.

``metrics``, ``predictions`` and ``abstentions`` own the files of these names, ``curves`` reads what training logged,
``near_copies`` looks for leaks, which ``copy_tables`` lists and mends, ``findings`` explains a result, a file a family,
and ``cross_validation`` judges without a look at the evaluated split. Knows nothing of pages and of DVC.
"""

from onepass.evaluation.abstentions import (
    Abstentions,
    CoveragePoint,
    DistanceWatch,
    read_abstentions,
    write_abstentions,
)
from onepass.evaluation.copy_tables import write_copy_tables
from onepass.evaluation.cross_validation import predict_left_out
from onepass.evaluation.curves import Curve, read_curve
from onepass.evaluation.findings import Finding, RunFacts, find_all, read_findings, register_finding
from onepass.evaluation.folds_of_groups import folds_of_groups
from onepass.evaluation.metrics import (
    CROSS_VALIDATION,
    ClassMetrics,
    Metrics,
    ReliabilityBin,
    area_under_roc,
    read_classes,
    read_metrics,
    read_reliability,
    reliability,
    score,
    score_classes,
    write_score_tables,
)
from onepass.evaluation.near_copies import ALIKE, FEWEST_VALUES, CopySearch, NearCopies, NearCopy, pooled
from onepass.evaluation.nearest_training import Nearest, NearestTraining, read_nearest
from onepass.evaluation.photo_facts import PhotoFacts
from onepass.evaluation.predictions import (
    Answer,
    Answers,
    Predicted,
    Prediction,
    PredictionSummary,
    predict_images,
    read_answers,
    summarise_predictions,
    write_predictions,
)

__all__ = [
    "ALIKE",
    "CROSS_VALIDATION",
    "FEWEST_VALUES",
    "Abstentions",
    "Answer",
    "Answers",
    "ClassMetrics",
    "CopySearch",
    "CoveragePoint",
    "Curve",
    "DistanceWatch",
    "Finding",
    "Metrics",
    "NearCopies",
    "NearCopy",
    "Nearest",
    "NearestTraining",
    "PhotoFacts",
    "Predicted",
    "Prediction",
    "PredictionSummary",
    "ReliabilityBin",
    "RunFacts",
    "area_under_roc",
    "find_all",
    "folds_of_groups",
    "pooled",
    "predict_images",
    "predict_left_out",
    "read_abstentions",
    "read_answers",
    "read_classes",
    "read_curve",
    "read_findings",
    "read_metrics",
    "read_nearest",
    "read_reliability",
    "register_finding",
    "reliability",
    "score",
    "score_classes",
    "summarise_predictions",
    "write_abstentions",
    "write_copy_tables",
    "write_predictions",
    "write_score_tables",
]
