"""params.yaml: read once, checked section by section, each by the schema of who reads it.

Here are the file itself and the sections data, split and backbone. The sections head and train belong to the kinds
of heads, which say in ``onepass.heads`` what they read. This package knows no network: that there is a VGG16, and
which sides it takes, is checked by ``onepass.backbones.resolve``.
"""

from onepass.params.params_file import ParamsError, ParamsFile, read_params
from onepass.params.sections import INPUT, LAST, NONE, BackboneParams, DataParams, Pooling, Section, Seed, SplitParams

__all__ = [
    "INPUT",
    "LAST",
    "NONE",
    "BackboneParams",
    "DataParams",
    "ParamsError",
    "ParamsFile",
    "Pooling",
    "Section",
    "Seed",
    "SplitParams",
    "read_params",
]
