"""TensorFlow: the engine that every installation has, on processor or GPU."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.engines.engine import Engine, Forward, register_engine


def fuses_bfloat16() -> bool:
    """Whether TensorFlow can turn a frozen float32 graph into a bfloat16 one: on a processor that has it.

    Convolution, batch normalisation and activation then stay one operation, where the layers' own precision
    would put conversions between them. A GPU and other processors have only the layers' own.
    """
    from onepass.tensorflow import has_onednn, tf  # noqa: PLC0415 - imports TensorFlow

    flags = Path("/proc/cpuinfo")
    has_it = flags.is_file() and "avx512_bf16" in flags.read_text()
    return has_it and has_onednn() and not tf.config.list_physical_devices("GPU")


def compile_with_tensorflow(traced: Any, _shape: tuple[int, int, int, int], fuse_bfloat16: bool) -> Forward:
    """The function with its variables made constants, so that layers fuse. A call uses all cores."""
    from onepass.tensorflow import as_constants, fusing_bfloat16, tf  # noqa: PLC0415 - imports TensorFlow

    frozen = as_constants(traced)
    way = fusing_bfloat16 if fuse_bfloat16 else nullcontext

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        with way():
            features: NDArray[np.float32] = frozen(tf.constant(pixels))[0].numpy()
        return features

    return Forward(call, at_once=2)  # where one call waits for its slowest thread, the other computes


register_engine(Engine("tensorflow", "tensorflow", compile_with_tensorflow, fuses_bfloat16))
