"""Backbones: where a pretrained network comes from, where it is cut, and what is above and below the cut.

``resolve`` turns the section backbone of params.yaml into a ``Backbone`` with nothing left to look up, without
TensorFlow; ``Backbone.load`` brings the network. A file a source, in ``sources``. Knows nothing of photos, of stored
features, or of what is trained on them.
"""

from onepass.backbones import sources
from onepass.backbones.backbone import (
    Backbone,
    FeatureShape,
    Network,
    Source,
    check_backbone,
    register_source,
    resolve,
)
from onepass.backbones.keras_source import KerasSource
from onepass.backbones.preprocessing import MODES, Mode, described, preprocess
from onepass.backbones.sources.hub_preset import HUB
from onepass.backbones.sources.keras_applications import APPLICATIONS, build_application

__all__ = [
    "APPLICATIONS",
    "HUB",
    "MODES",
    "Backbone",
    "FeatureShape",
    "KerasSource",
    "Mode",
    "Network",
    "Source",
    "build_application",
    "check_backbone",
    "described",
    "preprocess",
    "register_source",
    "resolve",
    "sources",
]
