"""ONNX Runtime on the processor: an extra, for those who serve with it."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.core import CORES_VARIABLE, UserError, cores, first_line
from onepass.engines.engine import Engine, Forward, register_engine
from onepass.onnx import converted

MISSING = "backbone.runtime: onnxruntime needs the package {}. `make install EXTRA=onnx` brings it."


def compile_with_onnxruntime(traced: Any, shape: tuple[int, int, int, int], _bfloat16: bool) -> Forward:
    """The function converted to ONNX. UserError: it cannot be."""
    from onepass.tensorflow import tf  # noqa: PLC0415 - imports TensorFlow

    signature = [tf.TensorSpec(shape, tf.uint8, name="pixels")]
    try:
        model = converted(tf.function(traced, input_signature=signature), signature)
    except ImportError as error:
        raise UserError(MISSING.format("tf2onnx")) from error
    return compile_onnx_with_onnxruntime(model.SerializeToString(), False)


def compile_onnx_with_onnxruntime(content: bytes, _bfloat16: bool) -> Forward:
    """A call computes with all cores. UserError: it lacks an operation, or is not installed."""
    try:
        session = onnx_session(content)
    except UserError:
        raise
    except Exception as error:  # whatever it raises, it is the network that it refuses
        raise UserError(
            f"backbone.runtime: onnxruntime given, which cannot run this network ({first_line(error)}); use another "
            "backbone.runtime."
        ) from error
    (name,) = (one.name for one in session.get_inputs())

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = session.run(None, {name: pixels})[0]
        return features

    return Forward(call, at_once=2)  # where one call waits for its slowest thread, the other computes


def onnx_session(content: bytes) -> Any:
    """An InferenceSession on the processor. UserError: it is not installed; else what it raises."""
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UserError(MISSING.format("onnxruntime")) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised
    if CORES_VARIABLE in os.environ:
        options.intra_op_num_threads = cores()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


register_engine(
    Engine(
        "onnxruntime",
        "onnxruntime",
        compile_with_onnxruntime,
        fuses_bfloat16=lambda: False,
        compile_onnx=compile_onnx_with_onnxruntime,
        precisions=("float32",),
    )
)
