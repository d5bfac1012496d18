"""OpenVINO: the fastest on a processor, the default."""

import os
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.core import CORES_VARIABLE, UserError, cores
from onepass.engines.engine import Engine, Forward, register_engine

NOT_TELLING = ("Exception from", "Check '", "FrontEnd API failed", "Model wasn't fully", "Summary:")


def compile_with_openvino(traced: Any, shape: tuple[int, int, int, int], bfloat16: bool) -> Forward:
    """The function converted for OpenVINO on the processor, as many calls at once as it finds best.

    UserError: as ``_compiled``.
    """
    import openvino  # noqa: PLC0415 - takes half a second

    return _compiled(lambda: openvino.convert_model(traced, input=[list(shape)]), bfloat16, "tensorflow")


def compile_onnx_with_openvino(content: bytes, bfloat16: bool) -> Forward:
    """The same of an ONNX model."""
    import openvino  # noqa: PLC0415 - takes half a second

    return _compiled(lambda: openvino.Core().read_model(content), bfloat16, "onnxruntime")


def _compiled(read: Callable[[], Any], bfloat16: bool, other: str) -> Forward:
    """What ``read`` gives, a model of OpenVINO, compiled.

    UserError: bfloat16 is asked for on a processor without it, where OpenVINO would compute in float32; or the network
    has an operation that OpenVINO lacks.
    """
    import openvino  # noqa: PLC0415 - takes half a second

    core = openvino.Core()
    if bfloat16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise UserError(
            "backbone.precision: bfloat16 given, which OpenVINO does not have on this processor; allowed here: "
            f"float32, or backbone.runtime: {other}."
        )
    # Its own default is bfloat16 where the processor has it, which moves features by 4e-3.
    precision = "bf16" if bfloat16 else "f32"
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
    if CORES_VARIABLE in os.environ:
        # Others compute on this machine, too: each would pin its threads to the same first cores.
        settings |= {"INFERENCE_NUM_THREADS": str(cores()), "ENABLE_CPU_PINNING": "NO"}
    try:
        compiled = core.compile_model(read(), "CPU", settings)
    except Exception as error:  # whatever its converter and its plugins raise, it is the network that they refuse
        raise UserError(
            f"backbone.runtime: openvino given, which cannot run this network ({_said(error)}); "
            f"use backbone.runtime: {other}."
        ) from error
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


def _said(error: Exception) -> str:
    """The line of its message that says what is wrong, after those that say where in its code."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith(NOT_TELLING)]
    return (telling or lines)[0]


register_engine(
    Engine("openvino", "openvino", compile_with_openvino, lambda: True, compile_onnx=compile_onnx_with_openvino)
)
