"""Backbones: where a pretrained network comes from, where it is cut, and what is above and below the cut.

``resolve`` turns the section backbone of params.yaml into a ``Backbone`` with nothing left to look up, without
TensorFlow; ``Backbone.load`` brings the network. A file a source: ``pixels`` (no network), ``keras_file``,
``keras_applications``. Knows nothing of photos, of stored features, or of what is trained on them.
"""

from onepass.backbones import keras_applications, keras_file, pixels  # each registers its source
from onepass.backbones.backbone import (
    Backbone,
    FeatureShape,
    Network,
    Source,
    check_backbone,
    register_source,
    resolve,
)
from onepass.backbones.keras_applications import APPLICATIONS, build_application
from onepass.backbones.preprocessing import MODES, preprocess

__all__ = [
    "APPLICATIONS",
    "MODES",
    "Backbone",
    "FeatureShape",
    "Network",
    "Source",
    "build_application",
    "check_backbone",
    "keras_applications",
    "keras_file",
    "pixels",
    "preprocess",
    "register_source",
    "resolve",
]
