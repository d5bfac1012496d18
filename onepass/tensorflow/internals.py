"""What Keras and TensorFlow do not document and there is no other way to learn, a small function each."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.eager import context
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.util._pywrap_util_port import IsMklEnabled


def as_constants(traced: Any) -> Any:
    """A concrete function with its variables made constants, so that layers fuse and nothing is left to look up."""
    return convert_variables_to_constants_v2(traced)


def has_onednn() -> bool:
    """Whether this build of TensorFlow computes with oneDNN, which alone can turn a graph into a bfloat16 one."""
    return bool(IsMklEnabled())


def layers_within(network: Any) -> list[Any]:
    """Every layer of a network, and every one inside of these, such as the blocks of a transformer."""
    return [*network._flatten_layers(include_self=False)]


def uses_of(layer: Any) -> int:
    """How often a layer is called in its network; a layer of a loaded Sequential is called several times over."""
    return len(layer._inbound_nodes)


def reads_of(layer: Any) -> int:
    """How often other layers read what this one gives."""
    return len(layer._outbound_nodes)


def operation_before(layer: Any) -> Any:
    """The layer whose output is the input of this one, which is called once."""
    return layer.input._keras_history.operation


def operations_of_outputs(network: Any) -> list[Any]:
    """The layers whose outputs are those of the network."""
    return [output._keras_history.operation for output in network.outputs]


@contextmanager
def fusing_bfloat16() -> Iterator[None]:
    """The graphs that this thread calls inside are turned into bfloat16 ones.

    There is an option for it, but of the whole process: every other graph would be rounded as well.
    """
    of_thread = context.context()
    before = of_thread.function_call_options
    of_thread.function_call_options = _rounding(before.config_proto_serialized)
    try:
        yield
    finally:
        of_thread.function_call_options = before


@cache
def _rounding(config: bytes) -> Any:
    """How functions are called with this configuration and the option."""
    proto = tf.compat.v1.ConfigProto.FromString(config)
    proto.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = RewriterConfig.ON
    return context.FunctionCallOptions(config_proto=proto)
