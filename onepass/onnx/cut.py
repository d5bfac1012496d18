"""A graph cut at a tensor: the part below it, and how what lies there is laid out."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onepass.core import UserError
from onepass.onnx.files import ImageInput
from onepass.params import INPUT, LAST

# Operators that by their definition work on channels first.
CHANNELS_FIRST = frozenset(
    {"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool"}
    | {"GlobalMaxPool", "BatchNormalization", "InstanceNormalization", "LRN", "DepthToSpace", "SpaceToDepth"}
)
TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


def tensor_called(model: Any, layer: str) -> str:
    """The tensor that ``backbone.layer`` means. UserError: there is none, or the graph has several outputs."""
    outputs = [output.name for output in model.graph.output]
    if layer == LAST and len(outputs) == 1:
        return str(outputs[0])
    names = [name for node in model.graph.node for name in node.output if name]
    if layer == LAST:
        raise UserError(f"backbone.layer: last given, but the graph has the outputs {', '.join(outputs)}; give one.")
    if layer not in names:
        close = difflib.get_close_matches(layer, names, n=5, cutoff=0.0)
        raise UserError(
            f"backbone.layer: {layer!r} given, a tensor that this graph does not have; the most alike are: "
            f"{', '.join(close)}. Also allowed: {LAST}, {INPUT}."
        )
    return layer


def below(model: Any, tensors: Sequence[str], given: ImageInput, file: Path) -> Any:
    """A copy of the model with nothing but what these tensors are computed from, which are its outputs.

    Raises:
        UserError: one of them does not depend on the image.

    """
    kept, seen = set[int](), set[str]()
    for tensor in tensors:
        nodes, read = _needed(model, tensor)
        if given.name not in read:
            raise UserError(
                f"backbone.layer: {tensor!r} of {file} does not depend on the image; give a tensor that does."
            )
        kept |= nodes
        seen |= read
    cut = type(model)()
    cut.CopyFrom(model)
    for field in ("node", "initializer", "sparse_initializer", "output", "value_info", "input"):
        cut.graph.ClearField(field)
    cut.graph.node.extend(model.graph.node[place] for place in sorted(kept))
    cut.graph.initializer.extend(one for one in model.graph.initializer if one.name in seen)
    cut.graph.sparse_initializer.extend(one for one in model.graph.sparse_initializer if one.values.name in seen)
    cut.graph.value_info.extend(one for one in model.graph.value_info if one.name in seen)
    cut.graph.input.extend(one for one in model.graph.input if one.name == given.name)
    declared = {one.name: one for one in (*model.graph.value_info, *model.graph.output)}
    for tensor in tensors:
        cut.graph.output.append(declared.get(tensor) or type(model.graph.input[0])(name=tensor))
    for field in ("producer_name", "producer_version", "domain", "doc_string", "model_version", "metadata_props"):
        cut.ClearField(field)
    return cut


def _needed(model: Any, tensor: str) -> tuple[set[int], set[str]]:
    """The places of the nodes that a tensor is computed by, and all tensors that they read, itself among them."""
    makers = {name: place for place, node in enumerate(model.graph.node) for name in node.output}
    kept, waiting = set[int](), [tensor]
    seen = {tensor}
    while waiting:
        place = makers.get(waiting.pop())
        if place is None or place in kept:
            continue
        kept.add(place)
        fresh = set(_read_by(model.graph.node[place])) - seen
        seen |= fresh
        waiting += sorted(fresh)
    return kept, seen


def renamed(cut: Any, names: Mapping[str, str]) -> Any:
    """The model itself, in which these tensors have other names."""
    for field in (cut.graph.input, cut.graph.output, cut.graph.value_info, cut.graph.initializer):
        for one in field:
            one.name = names.get(one.name, one.name)
    for one in cut.graph.sparse_initializer:
        one.values.name = names.get(one.values.name, one.values.name)
    _rename_in(cut.graph, names)
    return cut


def _rename_in(graph: Any, names: Mapping[str, str]) -> None:
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename_in(inner, names)


def _read_by(node: Any) -> Iterator[str]:
    """The tensors that a node reads, also inside the graphs that it runs."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _read_by(inner)


def shape_of(cut: Any, tensor: str, file: Path) -> tuple[int | None, ...]:
    """The shape of the tensor, None where any length may be. UserError: the file does not say."""
    from onnx import shape_inference  # noqa: PLC0415 - an extra

    inferred = shape_inference.infer_shapes(cut, data_prop=True)
    for one in (*inferred.graph.output, *inferred.graph.value_info):
        if one.name == tensor and one.type.tensor_type.HasField("shape"):
            return tuple(dim.dim_value or None for dim in one.type.tensor_type.shape.dim)
    raise UserError(f"backbone.layer: {tensor!r} of {file} has a shape that cannot be told; give another tensor.")


def channels_first(cut: Any, tensor: str, given: ImageInput) -> bool:
    """Whether maps at this tensor are (batch, channels, height, width): as the operators have it that made them."""
    makers = {name: node for node in cut.graph.node for name in node.output}
    turns = 0  # transpositions on the way up, each of which changes the answer
    while tensor in makers:
        node = makers[tensor]
        if node.op_type in CHANNELS_FIRST:
            return turns % 2 == 0
        if node.op_type == "Transpose":
            order = [list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"]
            turns += order in ([TO_LAST], [TO_FIRST])
        made = [name for name in node.input if name in makers or name == given.name]
        if not made:
            break
        tensor = made[0]
    return given.channels_first ^ (turns % 2 == 1)
