"""How a frozen network is run: a file an inference engine, and the batches that it is given.

An engine compiles a function for one shape of pixels; ``batch_inference`` keeps it fed. Knows nothing of where a
network comes from, nor of what its outputs mean. TensorFlow and the like are imported when an engine compiles.
"""

from onepass.core import import_all
from onepass.engines.batch_inference import BATCH, infer
from onepass.engines.engine import (
    Engine,
    Forward,
    engine_names,
    find_engine,
    in_pieces,
    library_version,
    register_engine,
)
from onepass.engines.onnxruntime import onnx_session
from onepass.engines.reference import check_forward, image_to_check

__all__ = [
    "BATCH",
    "Engine",
    "Forward",
    "check_forward",
    "engine_names",
    "find_engine",
    "image_to_check",
    "in_pieces",
    "infer",
    "library_version",
    "onnx_session",
    "register_engine",
]

import_all(__name__, __path__)
