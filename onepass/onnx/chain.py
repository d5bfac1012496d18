"""Operations of ONNX one after the other, and graphs joined by them."""

from collections.abc import Sequence
from typing import Any, Self

from numpy.typing import NDArray

FLOAT, UINT8, BOOL, FLOAT16 = 1, 2, 9, 10  # TensorProto.DataType
OPSET = 18  # of what is converted or written: every runtime since 2023 reads it
PREFIX = "onepass/"  # of the names of all tensors that are not the user's


class Chain:
    """Each operation works on what the one before gives."""

    def __init__(self, name: str, start: str) -> None:
        """Nothing is done to the tensor ``start`` yet; ``name`` keeps the tensors of two chains apart."""
        self._name = name
        self.end = start
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def then(self, operator: str, *operands: NDArray[Any] | str, unread: int = 0, **attributes: Any) -> Self:
        """One more: on the last result, and on constants and tensors after it.

        ``unread``: how many results it has after the first, which nobody needs.
        """
        from onnx import helper, numpy_helper  # noqa: PLC0415 - an extra

        place = f"{PREFIX}{self._name}{len(self.nodes)}"
        names = []
        for number, operand in enumerate(operands):
            names.append(operand if isinstance(operand, str) else f"{place}/{number}")
            if not isinstance(operand, str):
                self.constants.append(numpy_helper.from_array(operand, names[-1]))
        results = [place, *(f"{place}/unread{number}" for number in range(unread))]
        self.nodes.append(helper.make_node(operator, [self.end, *names], results, **attributes))
        self.end = place
        return self

    def beside(self, other: "Chain") -> Self:
        """From here on, the results of another chain, which may start at this one's end, can be used, too."""
        self.nodes += other.nodes
        self.constants += other.constants
        return self

    def then_all(self, other: "Chain") -> Self:
        """All of another chain, which starts at this one's end."""
        self.beside(other).end = other.end
        return self

    def through(self, model: Any) -> Self:
        """A whole model of one input and one output, whose operators have versions that go with the others."""
        from onnx import compose  # noqa: PLC0415 - an extra

        inner = compose.add_prefix(model, f"{PREFIX}{self._name}/").graph
        self.called(inner.input[0].name)
        self.nodes += inner.node
        self.constants += inner.initializer
        self.end = inner.output[0].name
        return self

    def called(self, name: str) -> Self:
        """The same under another name at its end."""
        from onnx import helper  # noqa: PLC0415 - an extra

        self.nodes.append(helper.make_node("Identity", [self.end], [name]))
        self.end = name
        return self


def joined(model: Any, before: Chain, after: Chain, shape: Sequence[int | str]) -> Any:
    """A model with a chain before and a chain after the graph of another one.

    Args:
        model: that of which the operators' versions are taken; its one output is where ``after`` starts.
        before: starts at the tensor ``pixels``, uint8 of ``shape``, and ends at the input of the model.
        after: gives float32, of whatever shape.

    """
    from onnx import helper  # noqa: PLC0415 - an extra

    graph = helper.make_graph(
        [*before.nodes, *model.graph.node, *after.nodes],
        "onepass",
        [helper.make_tensor_value_info("pixels", UINT8, shape)],
        [helper.make_tensor_value_info(after.end, FLOAT, None)],
        [*model.graph.initializer, *before.constants, *after.constants],
        sparse_initializer=model.graph.sparse_initializer,
    )
    whole = helper.make_model(graph, opset_imports=model.opset_import, functions=model.functions)
    whole.ir_version = model.ir_version
    return whole
