"""params.yaml: read once, checked section by section, each by the schema of who reads it.

Here are the file itself, the sections data, split, backbone and predict, and the digest of the weights file that is
named there. The sections head and train belong to the kinds of heads, which say in ``onepass.heads`` what they read.
This package knows no network: that there is a VGG16, and which sides it takes, ``onepass.backbones.resolve`` checks.
"""

from onepass.params.params_file import PARAMS_FILE, ParamsError, ParamsFile, read_params, unknown_key
from onepass.params.sections import (
    INPUT,
    LAST,
    LEAST_KEPT,
    NONE,
    BackboneParams,
    BackbonePooling,
    DataParams,
    PixelScaling,
    Pooling,
    PredictParams,
    Section,
    Seed,
    SplitParams,
    VersionsRule,
)
from onepass.params.weights_record import (
    check_weights,
    missing_elsewhere,
    record_weights,
    weights_files,
    weights_sha256,
)

__all__ = [
    "INPUT",
    "LAST",
    "LEAST_KEPT",
    "NONE",
    "PARAMS_FILE",
    "BackboneParams",
    "BackbonePooling",
    "DataParams",
    "ParamsError",
    "ParamsFile",
    "PixelScaling",
    "Pooling",
    "PredictParams",
    "Section",
    "Seed",
    "SplitParams",
    "VersionsRule",
    "check_weights",
    "missing_elsewhere",
    "read_params",
    "record_weights",
    "unknown_key",
    "weights_files",
    "weights_sha256",
]
