"""ONNX files: read with care, cut at a tensor, and joined with operations before and after.

Knows graphs and their tensors; nothing of what is trained, nor of who runs them. The library ``onnx`` is an extra,
imported when a file is read.
"""

from onepass.onnx.chain import BOOL, FLOAT, FLOAT16, OPSET, PREFIX, Chain, joined
from onepass.onnx.conversion import converted
from onepass.onnx.cut import TO_FIRST, TO_LAST, below, channels_first, renamed, shape_of, tensor_called
from onepass.onnx.files import SUFFIX, ImageInput, graph_file, image_input, read_onnx, side_of

__all__ = [
    "BOOL",
    "FLOAT",
    "FLOAT16",
    "OPSET",
    "PREFIX",
    "SUFFIX",
    "TO_FIRST",
    "TO_LAST",
    "Chain",
    "ImageInput",
    "below",
    "channels_first",
    "converted",
    "graph_file",
    "image_input",
    "joined",
    "read_onnx",
    "renamed",
    "shape_of",
    "side_of",
    "tensor_called",
]
