"""TensorFlow and Keras, imported in one place because what must be set before the import is easily forgotten.

Importing this package costs seconds: others do it inside the function that needs it. ``archive`` writes .keras files
without dates, ``internals`` is the only place that touches what the two do not document. Knows nothing of backbones.
"""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """TensorFlow's libraries write start-up chatter that no variable silences; it is shown only on failure."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException:
            chatter.seek(0)
            os.write(kept, chatter.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _imported_fast(unneeded: tuple[str, ...]) -> Iterator[None]:
    """Half the time of an import that makes a million objects which live as long as the process.

    Those are neither searched for garbage meanwhile, nor at the exit. And Keras does not find the ``unneeded``
    packages, which it would import to offer wrappers for them.
    """
    modules: dict[str, Any] = sys.modules
    absent = [name for name in unneeded if name not in modules]
    modules.update(dict.fromkeys(absent))  # None is Python's mark for "not installed"
    gc.disable()
    try:
        yield
    finally:
        for name in absent:
            del modules[name]
        gc.enable()
        gc.freeze()


# A sum is split among as many threads as there are, and with it what is rounded: on any number of cores, and however
# busy these are, the same number of threads gives the same bytes.
THREADS = 8

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with _held_back_stderr(), _imported_fast(unneeded=("sklearn", "matplotlib")):
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.experimental.enable_tensor_float_32_execution(False)  # a GPU's float32 must be everybody's float32
    tf.config.list_logical_devices()  # starts the devices, which chatters too

keras.backend.set_floatx("float32")  # ~/.keras/keras.json of this machine must not change anybody's results
keras.backend.set_image_data_format("channels_last")

from onepass.tensorflow.archive import save_keras  # noqa: E402 - after what they need
from onepass.tensorflow.hub import import_what_needs_keras_hub, keras_hub  # noqa: E402
from onepass.tensorflow.internals import (  # noqa: E402
    as_constants,
    fusing_bfloat16,
    has_onednn,
    layers_within,
    operation_before,
    operations_of_outputs,
    reads_of,
    uses_of,
)

__all__ = [
    "as_constants",
    "fusing_bfloat16",
    "has_onednn",
    "import_what_needs_keras_hub",
    "keras",
    "keras_hub",
    "layers_within",
    "operation_before",
    "operations_of_outputs",
    "reads_of",
    "save_keras",
    "tf",
    "uses_of",
]
