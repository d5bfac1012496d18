"""How a frozen network is run: a file an inference engine, and the batches that it is given.

An engine compiles a function for one shape of pixels; ``batch_inference`` keeps it fed. Knows nothing of where a
network comes from, nor of what its outputs mean. TensorFlow and the like are imported when an engine compiles.
"""

from onepass.core import import_all
from onepass.engines.batch_inference import BATCH, infer
from onepass.engines.engine import Engine, Forward, engine_names, find_engine, library_version, register_engine

__all__ = [
    "BATCH",
    "Engine",
    "Forward",
    "engine_names",
    "find_engine",
    "infer",
    "library_version",
    "register_engine",
]

import_all(__name__, __path__)
