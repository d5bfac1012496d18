"""A network as one compiled call of a fixed shape: by TensorFlow, or by OpenVINO where that is asked for."""

from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.shared.backbone.forward import Forward
from stages.shared.errors import UserError
from stages.shared.tensorflow import tf


def fuses_bfloat16() -> bool:
    """Whether TensorFlow can turn a frozen float32 graph into a bfloat16 one: on a processor that has it.

    Convolution, batch normalisation and activation then stay one operation, where the layers' own precision
    would put conversions between them. A GPU and other processors have only the layers' own.
    """
    from tensorflow.python.util._pywrap_util_port import IsMklEnabled  # noqa: PLC0415

    flags = Path("/proc/cpuinfo")
    has_it = flags.is_file() and "avx512_bf16" in flags.read_text()
    return has_it and bool(IsMklEnabled()) and not tf.config.list_physical_devices("GPU")


def with_tensorflow(traced: Any, fuse_bfloat16: bool) -> Forward:
    """The function with its variables made constants, so that layers fuse. A call uses all cores."""
    from tensorflow.python.framework.convert_to_constants import (  # noqa: PLC0415 - there is no other place for it
        convert_variables_to_constants_v2,
    )

    # Of the process, and read at the first call: there is one network in a process.
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": fuse_bfloat16})
    frozen = convert_variables_to_constants_v2(traced)

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = frozen(tf.constant(pixels))[0].numpy()
        return features

    return Forward(call, at_once=2)  # where one call waits for its slowest thread, the other computes


def with_openvino(traced: Any, shape: list[int], bfloat16: bool) -> Forward:
    """The function converted for OpenVINO on the processor, as many calls at once as it finds best.

    UserError: bfloat16 is asked for on a processor without it, where OpenVINO would compute in float32.
    """
    import openvino  # noqa: PLC0415 - an extra

    core = openvino.Core()
    if bfloat16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise UserError(
            "backbone.precision: bfloat16 given, which OpenVINO does not have on this processor; allowed here: "
            "float32, or backbone.runtime: tensorflow."
        )
    precision = "bf16" if bfloat16 else "f32"
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
    compiled = core.compile_model(openvino.convert_model(traced, input=[shape]), "CPU", settings)
    at_once = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    idle: SimpleQueue[Any] = SimpleQueue()
    for _ in range(at_once):
        idle.put(compiled.create_infer_request())

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        request = idle.get()
        try:
            features: NDArray[np.float32] = request.infer([pixels])[0]
            return features
        finally:
            idle.put(request)

    return Forward(call, at_once)
