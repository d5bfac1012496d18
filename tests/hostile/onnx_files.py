"""ONNX files of a small network, and ways in which such a file can be unsuitable, damaged or hostile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper, save_model

SIDE = 8
FLOAT = TensorProto.FLOAT
KERNEL = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
ANY = ["a", "b", "c", "d"]  # a shape of which nothing is said
CHANNELS_FIRST: list[int | str] = ["batch", 3, SIDE, SIDE]


def made(
    nodes: list[Any],
    constants: dict[str, NDArray[Any]] | None = None,
    shape: list[int | str] | None = None,
    output: str = "maps",
    opset: int = 18,
    kind: int = FLOAT,
) -> ModelProto:
    """A model of one input, ``image``, and one output."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", kind, shape or CHANNELS_FIRST)],
        [helper.make_tensor_value_info(output, kind, ANY)],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def network(shape: list[int | str] | None = None, opset: int = 18) -> ModelProto:
    """A convolution with relu."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["maps"]),
    ]
    return made(nodes, {"kernel": KERNEL}, shape, opset=opset)


def expected(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What it gives for uint8 (images, SIDE, SIDE, 3) that are divided by 255: (images, SIDE, SIDE, 4)."""
    padded = np.pad(pixels / 255, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))  # (images, y, x, channel, 3, 3)
    found: NDArray[np.float64] = np.maximum(np.einsum("nyxcij,ocij->nyxo", windows, KERNEL), 0)
    return found


class Case(NamedTuple):
    """A file, and what is said of it."""

    write: Callable[[Path], Any]  # writes net.onnx into a folder; gives what backbone.weights is, if not that
    said: str  # a regular expression; empty: right features


def _model(make: Callable[[], ModelProto]) -> Callable[[Path], Any]:
    def write(folder: Path) -> None:
        (folder / "net.onnx").write_bytes(make().SerializeToString())

    return write


def _bytes(make: Callable[[bytes], bytes]) -> Callable[[Path], Any]:
    def write(folder: Path) -> None:
        (folder / "net.onnx").write_bytes(make(network().SerializeToString()))

    return write


def _external(location: str, folder_given: bool = True, kept: bool = True) -> Callable[[Path], Any]:
    """Weights in another file, which the model then calls otherwise."""

    def write(folder: Path) -> Path:
        model = network()
        save_model(model, folder / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
        if location != "net.data":
            (entry,) = (one for one in model.graph.initializer[0].external_data if one.key == "location")
            entry.value = location
            (folder / "net.onnx").write_bytes(model.SerializeToString())
            (folder / "net.data").rename(folder.parent / "secret.data")
        if location == "link.data":
            (folder / "link.data").symlink_to(folder.parent / "secret.data")
        if not kept:
            (folder / "net.data").unlink()
        return folder if folder_given else folder / "net.onnx"

    return write


def _cycle() -> ModelProto:
    return made([helper.make_node("Add", ["image", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])], output="b")


def _two_inputs() -> ModelProto:
    model = network()
    model.graph.input.append(helper.make_tensor_value_info("mask", FLOAT, [1]))
    return model


def _two_outputs() -> ModelProto:
    model = network()
    model.graph.output.append(helper.make_tensor_value_info("conv", FLOAT, ANY))
    return model


def _gigabytes() -> ModelProto:
    size = np.array([1 << 20, 1 << 14])
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("Add", ["image", "sum"], ["maps"]),
    ]
    return made(nodes, {"size": size})


def _claimed() -> ModelProto:
    model = network()
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20, 3, 3]
    return model


def _forever() -> ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sin", ["value"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["many", "", "image"], ["maps"], body=body)
    return made([loop], {"many": np.array(1 << 60)})


def _itself() -> ModelProto:
    model = made([helper.make_node("again", ["image"], ["maps"], domain="own")])
    inner = helper.make_node("again", ["x"], ["y"], domain="own")
    ids = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model.functions.append(helper.make_function("own", "again", ["x"], ["y"], [inner], ids))
    model.opset_import.append(helper.make_opsetid("own", 1))
    return model


def _quantised() -> ModelProto:
    scale = np.float32(np.abs(KERNEL).max() / 127)
    levels = np.rint(KERNEL / scale).astype(np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["levels", "scale"], ["kernel"]),
        helper.make_node("Conv", ["image", "kernel"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["maps"]),
    ]
    return made(nodes, {"levels": levels, "scale": np.asarray(scale)})


def _float16() -> ModelProto:
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["maps"]),
    ]
    half = TensorProto.FLOAT16
    return made(nodes, {"kernel": KERNEL.astype(np.float16)}, kind=half)


def _channels_last() -> ModelProto:
    nodes = [
        helper.make_node("Transpose", ["image"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["maps"]),
    ]
    return made(nodes, {"kernel": KERNEL}, ["batch", "height", "width", 3])


def _not_of_the_image() -> ModelProto:
    nodes = [helper.make_node("Relu", ["kernel"], ["maps"]), helper.make_node("Relu", ["image"], ["unused"])]
    return made(nodes, {"kernel": KERNEL})


def _twice() -> ModelProto:
    model = network()
    model.graph.node.append(helper.make_node("Relu", ["conv"], ["maps"]))
    return model


def _opset(version: int) -> Callable[[], ModelProto]:
    return lambda: network(opset=version)


def _operator(name: str, domain: str = "", **attributes: Any) -> Callable[[], ModelProto]:
    def make() -> ModelProto:
        model = made([helper.make_node(name, ["image"], ["maps"], domain=domain, **attributes)])
        if domain:
            model.opset_import.append(helper.make_opsetid(domain, 1))
        return model

    return make


def _several(folder: Path) -> Path:
    for name in ("one.onnx", "other.onnx"):
        (folder / name).write_bytes(network().SerializeToString())
    return folder


NOT_READ = r"net\.onnx is not read: .*It is damaged, or no ONNX; export it anew"
CASES = {
    "as it should be": Case(_model(network), ""),
    "any side and batch": Case(_model(lambda: network(["batch", "channels", "height", "width"])), ""),
    "a batch of one": Case(_model(lambda: network([1, 3, SIDE, SIDE])), ""),
    "a batch of three": Case(_model(lambda: network([3, 3, SIDE, SIDE])), ""),
    "channels last": Case(_model(_channels_last), ""),
    "quantised": Case(_model(_quantised), ""),
    "float16": Case(_model(_float16), ""),
    "an old version": Case(_model(_opset(9)), ""),
    "weights in a file of the folder": Case(_external("net.data"), ""),
    "a folder of one": Case(lambda folder: _model(network)(folder) or folder, ""),
    "empty": Case(_bytes(lambda _: b""), NOT_READ),
    "text": Case(_bytes(lambda _: b"no model" * 100), NOT_READ),
    "cut off early": Case(_bytes(lambda content: content[:20]), NOT_READ),
    "cut off in the middle": Case(_bytes(lambda content: content[: len(content) // 2]), NOT_READ),
    "cut off late": Case(_bytes(lambda content: content[:-3]), NOT_READ),
    "a cycle": Case(_model(_cycle), NOT_READ),
    "two nodes give one tensor": Case(_model(_twice), NOT_READ),
    "a function that calls itself": Case(_model(_itself), NOT_READ),
    "an unknown operator": Case(_model(_operator("Frobnicate")), NOT_READ),
    "a version to come": Case(_model(_opset(900)), r"operators of version 900; the onnx here knows them up to \d+"),
    "an operator of somebody's own": Case(_model(_operator("Magic", "somebody")), "cannot run this network"),
    "weights that claim terabytes": Case(_model(_claimed), NOT_READ),
    "constants of gigabytes": Case(_model(_gigabytes), r"cannot be run|cannot run this network"),
    "a loop without an end": Case(_model(_forever), r"cannot be run in \d+ seconds and \d+ GiB"),
    "two inputs": Case(_model(_two_inputs), r"net\.onnx has the inputs image, mask; expected one, of images"),
    "two outputs": Case(_model(_two_outputs), r"backbone\.layer: last given, but the graph has the outputs maps, conv"),
    "not of the image": Case(_model(_not_of_the_image), r"'maps' of .*net\.onnx does not depend on the image"),
    "grey images": Case(_model(lambda: network(["batch", 1, SIDE, SIDE])), r"has the shape .*; expected RGB images"),
    "no images": Case(_model(lambda: network(["n", 10])), "expected RGB"),
    "another side": Case(_model(lambda: network(["n", 3, 9, 9])), r"image_side: 8 given; .* takes 9 by 9 pixels"),
    "not a square": Case(_model(lambda: network(["n", 3, 8, 9])), r"has the shape .*; expected RGB images"),
    "no file of weights": Case(_external("net.data", kept=False), r"net\.data, which is not beside it"),
    "weights outside of the folder": Case(_external("../secret.data"), r"in '\.\./secret\.data'; expected a plain"),
    "weights behind a link": Case(_external("link.data"), r"keeps weights in 'link\.data'; expected a plain file"),
    "weights anywhere": Case(_external("/etc/passwd"), r"keeps weights in '/etc/passwd'; expected a plain file"),
    "weights beside the file": Case(_external("net.data", folder_given=False), r"DVC would not see change.*: .*net:"),
    "an empty folder": Case(lambda folder: folder, r"a folder with these \.onnx files: none; expected one"),
    "a folder of two": Case(_several, r"a folder with these \.onnx files: one\.onnx, other\.onnx; expected one"),
    "values in no order of images": Case(_model(_operator("NonZero")), r"cannot run this network"),
}  # fmt: skip
