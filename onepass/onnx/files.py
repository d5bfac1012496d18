"""A file of ONNX from elsewhere: what it may be, and its one input, which takes images.

Weights may lie in files beside it. Then the folder of all of them is given, and not the file, so that DVC sees each.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from onepass.core import UserError, first_line, listed
from onepass.onnx.chain import OPSET
from onepass.onnx.conversion import with_known_operators

SUFFIX = ".onnx"
LARGEST = 2 << 30  # bytes, of what protobuf can hold
OLDEST = 13  # version of its operators; of an older one they are converted
KEY = "backbone.weights"
HOW = "`make install EXTRA=onnx` brings it"


class ImageInput(NamedTuple):
    """The one input of a network."""

    name: str
    type: int  # of its numbers, as TensorProto.DataType has them
    batch: int | None  # images a call, where the graph fixes that
    side: int | None  # pixels, likewise
    channels_first: bool  # (batch, 3, side, side), or (batch, side, side, 3)


def graph_file(given: Path) -> Path:
    """The .onnx file that is meant: itself, or the only one in a folder. UserError: there is none, or several."""
    if not given.is_dir():
        return given
    files = sorted(given.glob(f"*{SUFFIX}"))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise UserError(f"{KEY}: {given} given, a folder with these {SUFFIX} files: {names}; expected one.")
    return files[0]


def side_of(given: Path) -> int | None:
    """The pixels of a side that the graph fixes; None where it does not, or cannot be read: who runs it says why."""
    try:
        file = graph_file(given)
        return image_input(library().load_model(file, load_external_data=False), file).side
    except UserError:
        raise
    except Exception:  # noqa: BLE001 - of a damaged file protobuf raises nearly every type there is
        return None


def read_onnx(given: Path) -> Any:
    """The model with all its weights, checked, with operators of version 13 or later.

    Raises:
        UserError: it is damaged, or no ONNX; it keeps weights where they do not belong; or no onnx is installed.

    """
    onnx = library()
    file = graph_file(given)
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f"{KEY}: {file} has {file.stat().st_size:,} bytes; allowed: {LARGEST:,}.")
        model = onnx.load_model(file, load_external_data=False)
        _check_external(model, file, given)
        onnx.load_external_data_for_model(model, str(file.parent))
        with_known_operators(model)
        if model.ByteSize() > LARGEST:
            raise UserError(f"{KEY}: {file} and its weights have {model.ByteSize():,} bytes; allowed: {LARGEST:,}.")
        onnx.checker.check_model(model)
        version = max([one.version for one in model.opset_import if not one.domain], default=1)
        if version > onnx.defs.onnx_opset_version():
            raise UserError(
                f"{KEY}: {file} has operators of version {version}; the onnx here knows them up to "
                f"{onnx.defs.onnx_opset_version()}. Export it anew with opset {OPSET}."
            )
        return model if version >= OLDEST else onnx.version_converter.convert_version(model, OPSET)
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{KEY}: {file} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # of a damaged file protobuf and the checker raise nearly every type there is
        raise UserError(
            f"{KEY}: {file} is not read: {first_line(error)}. It is damaged, or no ONNX; export it anew."
        ) from error


def library() -> Any:
    """The package onnx. UserError: it is not installed."""
    try:
        import onnx  # noqa: PLC0415 - an extra
        import onnx.version_converter  # noqa: PLC0415
    except ImportError as error:
        raise UserError(f"backbone.name: onnx needs the package onnx. {HOW}.") from error
    return onnx


def _check_external(model: Any, file: Path, given: Path) -> None:
    """UserError: weights lie in files that are no plain neighbours, or that DVC would not see."""
    locations = {
        entry.value for tensor in _tensors(model.graph) for entry in tensor.external_data if entry.key == "location"
    }
    for location in sorted(locations):
        path = file.parent / location
        if not location or Path(location).name != location or path.is_symlink():
            raise UserError(
                f"{KEY}: {file} keeps weights in {location!r}; expected a plain file beside it. Export it anew."
            )
        if not path.is_file():
            raise UserError(f"{KEY}: {file} keeps weights in {location}, which is not beside it. Copy it there.")
    if locations and not given.is_dir():
        names = listed(sorted({file.name, *locations}))
        raise UserError(
            f"{KEY}: {given} keeps weights in files beside it, which DVC would not see change. Put these into a folder "
            f"of their own, and give that, {KEY}: {file.with_suffix('')}:\n{names}"
        )


def _tensors(graph: Any) -> Iterator[Any]:
    """All that hold numbers, also in the graphs that nodes run."""
    yield from graph.initializer
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner)


def image_input(model: Any, file: Path) -> ImageInput:
    """The one input. UserError: there are several, or it takes no RGB images."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]  # old files list their weights, too
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs) or "none"
        raise UserError(f"{KEY}: {file} has the inputs {names}; expected one, of images. Export the image part alone.")
    (found,) = inputs
    dims = [one.dim_value or None for one in found.type.tensor_type.shape.dim]
    first = len(dims) == 4 and _channels_come_first(model, found, dims)
    sides = dims[2:] if first else dims[1:3]
    channels = dims[1 if first else 3] if len(dims) == 4 else None
    if len(dims) != 4 or channels not in (None, 3) or len({*sides} - {None}) > 1:
        shape = tuple(one.dim_value or one.dim_param or "?" for one in found.type.tensor_type.shape.dim)
        raise UserError(
            f"{KEY}: the input {found.name} of {file} has the shape {shape}; expected RGB images, (batch, 3, side, "
            "side) or (batch, side, side, 3)."
        )
    side = next((length for length in sides if length), None)
    return ImageInput(found.name, found.type.tensor_type.elem_type, dims[0], side, first)


def _channels_come_first(model: Any, found: Any, dims: list[int | None]) -> bool:
    """Where the 3 is; where both or none are, as ONNX has it, whose convolutions take channels first."""
    if (dims[1] == 3) != (dims[3] == 3):
        return dims[1] == 3
    return not any(node.op_type == "Transpose" and found.name in node.input for node in model.graph.node)
