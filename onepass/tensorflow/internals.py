"""What Keras and TensorFlow do not document and there is no other way to learn, a small function each."""

from typing import Any

from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.util._pywrap_util_port import IsMklEnabled


def as_constants(traced: Any) -> Any:
    """A concrete function with its variables made constants, so that layers fuse and nothing is left to look up."""
    return convert_variables_to_constants_v2(traced)


def has_onednn() -> bool:
    """Whether this build of TensorFlow computes with oneDNN, which alone can turn a graph into a bfloat16 one."""
    return bool(IsMklEnabled())


def uses_of(layer: Any) -> int:
    """How often a layer is called in its network; a layer of a loaded Sequential is called several times over."""
    return len(layer._inbound_nodes)


def reads_of(layer: Any) -> int:
    """How often other layers read what this one gives."""
    return len(layer._outbound_nodes)


def operation_before(layer: Any) -> Any:
    """The layer whose output is the input of this one, which is called once."""
    return layer.input._keras_history.operation
