"""From TensorFlow to ONNX, by tf2onnx, and what it leaves behind that no runtime knows."""

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np

from onepass.onnx.chain import OPSET, PREFIX


def converted(function: Any, signature: list[Any]) -> Any:
    """A ModelProto of a function of TensorFlow with one input, and with constants for all that it has from outside."""
    import tf2onnx  # noqa: PLC0415 - an extra

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what is left over, who runs the graph says
    model, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    _make_constant(model, function.get_concrete_function(*signature).graph.captures)
    return with_known_operators(model)


def _make_constant(model: Any, captures: Iterable[tuple[Any, Any]]) -> None:
    """Of numbers that are no variables, as a layer may keep some, tf2onnx makes more inputs."""
    from onnx import numpy_helper  # noqa: PLC0415 - an extra

    inside = {place.name: value for value, place in captures}
    for given in [one for one in model.graph.input if one.name in inside]:
        model.graph.initializer.append(numpy_helper.from_array(inside[given.name].numpy(), given.name))
        model.graph.input.remove(given)


def with_known_operators(model: Any) -> Any:
    """The model itself, with 1 - erf(x) for erfc(x).

    tf2onnx writes the exact gelu of Keras with an operator Erfc, which ONNX does not have.
    """
    from onnx import helper, numpy_helper  # noqa: PLC0415 - an extra

    one, nodes = f"{PREFIX}one", []
    for node in model.graph.node:
        if node.op_type != "Erfc" or node.domain:
            nodes.append(node)
            continue
        inside = f"{PREFIX}{node.output[0]}"
        nodes.append(helper.make_node("Erf", node.input, [inside]))
        nodes.append(helper.make_node("Sub", [one, inside], node.output))
    if len(nodes) > len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), one))
    return model
