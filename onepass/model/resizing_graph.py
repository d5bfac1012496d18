"""Resizing as operations of ONNX: the specification of ``onepass.photos.resizing`` for the whole model."""

from typing import Any

import numpy as np

from onepass.onnx import OPSET
from onepass.photos import Framing

NAMES = "onepass_resize_"  # what those of all tensors in between begin with
# Along the first axis after the batch. One neighbour is added after the other, with the roundings of the
# specification: many sums are ties between two levels, which a matrix product would decide otherwise.
BLENDED = """
    {p}length_int = Gather <axis = 0> ({p}shape, {c}one_int)
    {p}length = Cast <to = 1> ({p}length_int)
    {p}ratio = Div ({c}side, {p}length)
    {p}scale = Div ({c}one, {p}ratio)
    {p}wider = Max ({p}scale, {c}one)
    {p}inverse = Div ({c}one, {p}wider)
    {p}reach = Mul ({p}wider, {c}radius)
    {p}middle = Add ({c}steps, {c}half)
    {p}centre = Mul ({p}middle, {p}scale)
    {p}left = Sub ({p}centre, {p}reach)
    {p}lefter = Sub ({p}left, {c}half)
    {p}first = Ceil ({p}lefter)
    {p}width = Mul ({c}two, {p}reach)
    {p}width_int = Cast <to = 7> ({p}width)
    {p}taps = Add ({p}width_int, {c}two_int)
    {p}sums = Loop ({p}taps, , {c}zeros) <body = {p}weigh (int64 {p}i, bool {p}go, float[side] {p}sum)
        => (bool {p}on, float[side] {p}more) {{
        {weight}
        {p}on = Identity ({p}go)
        {p}more = Add ({p}sum, {p}weight)
    }}>
    {p}share = Div ({c}one, {p}sums)
    {p}last = Sub ({p}length, {c}one)
    {p}empty_shape = Concat <axis = 0> ({p}batch, {c}sides, {p}rest)
    {p}empty = Expand ({c}zero, {p}empty_shape)
    {p}blended = Loop ({p}taps, , {p}empty) <body = {p}blend (int64 {p}i, bool {p}go, float[n,side,m,3] {p}sum)
        => (bool {p}on, float[n,side,m,3] {p}more) {{
        {weight}
        {p}shared = Mul ({p}weight, {p}share)
        {p}factor = Reshape ({p}shared, {c}column)
        {p}near = Clip ({p}place, {c}zero, {p}last)
        {p}index = Cast <to = 7> ({p}near)
        {p}rows = Gather <axis = 1> ({p}source, {p}index)
        {p}weighted = Mul ({p}rows, {p}factor)
        {p}on = Identity ({p}go)
        {p}more = Add ({p}sum, {p}weighted)
    }}>
"""
WEIGHT = """
        {p}number = Cast <to = 1> ({p}i)
        {p}place = Add ({p}first, {p}number)
        {p}pixel = Add ({p}place, {c}half)
        {p}away = Sub ({p}pixel, {p}centre)
        {p}far = Abs ({p}away)
        {p}part = Mul ({p}far, {p}inverse)
        {shape}
        {p}not_before = GreaterOrEqual ({p}place, {c}zero)
        {p}not_behind = Less ({p}place, {p}length)
        {p}inside = And ({p}not_before, {p}not_behind)
        {p}counts = Cast <to = 1> ({p}inside)
        {p}weight = Mul ({p}filtered, {p}counts)
"""
TRIANGLE = """
        {p}slope = Sub ({c}one, {p}part)
        {p}filtered = Max ({c}zero, {p}slope)
"""
CUBIC = """
        {p}near_1 = Mul ({c}one_and_half, {p}part)
        {p}near_2 = Sub ({p}near_1, {c}two_and_half)
        {p}near_3 = Mul ({p}near_2, {p}part)
        {p}near_4 = Mul ({p}near_3, {p}part)
        {p}below_1 = Add ({p}near_4, {c}one)
        {p}far_1 = Mul ({c}minus_half, {p}part)
        {p}far_2 = Add ({p}far_1, {c}two_and_half)
        {p}far_3 = Mul ({p}far_2, {p}part)
        {p}far_4 = Sub ({p}far_3, {c}four)
        {p}far_5 = Mul ({p}far_4, {p}part)
        {p}below_2 = Add ({p}far_5, {c}two)
        {p}is_below_2 = Less ({p}part, {c}two)
        {p}beyond = Where ({p}is_below_2, {p}below_2, {c}zero)
        {p}is_below_1 = Less ({p}part, {c}one)
        {p}filtered = Where ({p}is_below_1, {p}below_1, {p}beyond)
"""
OF_CUBIC = {"one_and_half": 1.5, "two_and_half": 2.5, "minus_half": -0.5, "four": 4}
# The shape of a filter, from where on it is 0, and the numbers that only it needs.
FILTERS: dict[str, tuple[str, int, dict[str, float]]] = {
    "bilinear": (TRIANGLE, 1, {}),
    "bicubic": (CUBIC, 2, OF_CUBIC),
}
# The largest square in the middle.
MIDDLE = """
    {c}size = Shape (photos)
    {c}lengths = Slice ({c}size, {c}one_ints, {c}three_ints)
    {c}length = ReduceMin <keepdims = 1> ({c}lengths)
    {c}spare = Sub ({c}lengths, {c}length)
    {c}corner = Div ({c}spare, {c}two_int)
    {c}opposite = Add ({c}corner, {c}length)
    {c}middle = Slice (photos, {c}corner, {c}opposite, {c}sides_of)
"""
GRAPH = """
<ir_version: 8, opset_import: ["" : {opset}]>
resized (uint8[n,h,w,3] photos) => (uint8[n,s,s,3] pixels) {{
{middle}
    {c}rows_source = Cast <to = 1> ({seen})
    {c}rows_shape = Shape ({c}rows_source)
    {c}rows_batch = Gather <axis = 0> ({c}rows_shape, {c}first_int)
    {c}rows_rest = Gather <axis = 0> ({c}rows_shape, {c}others_int)
    {rows}
    {c}columns_source = Transpose <perm = [0, 2, 1, 3]> ({c}rows_blended)
    {c}columns_shape = Shape ({c}columns_source)
    {c}columns_batch = Gather <axis = 0> ({c}columns_shape, {c}first_int)
    {c}columns_rest = Gather <axis = 0> ({c}columns_shape, {c}others_int)
    {columns}
    {c}upright = Transpose <perm = [0, 2, 1, 3]> ({c}columns_blended)
    {c}rounded = Round ({c}upright)
    {c}level = Clip ({c}rounded, {c}zero, {c}most)
    {c}square = Cast <to = 2> ({c}level)
    pixels = Slice ({c}square, {c}margins, {c}ends, {c}sides_of)
}}
"""


def resizing_nodes(framing: Framing) -> tuple[list[Any], list[Any]]:
    """Nodes and constants from ``photos``, uint8 (batch, height, width, 3), to ``pixels``, (batch, side, side, 3)."""
    side, start = framing.resized, framing.margin
    shape, radius, numbers = FILTERS[framing.interpolation]
    from onnx import numpy_helper, parser  # noqa: PLC0415 - an extra

    def blended(axis: str) -> str:
        names = {"c": NAMES, "p": f"{NAMES}{axis}_"}
        return BLENDED.format(**names, weight=WEIGHT.format(**names, shape=shape.format(**names)))

    crops = framing.crop is not None
    text = GRAPH.format(
        c=NAMES,
        opset=OPSET,
        rows=blended("rows"),
        columns=blended("columns"),
        middle=MIDDLE.format(c=NAMES) if crops else "",
        seen=f"{NAMES}middle" if crops else "photos",
    )
    nodes = list(parser.parse_model(text).graph.node)
    constants = {
        "steps": np.arange(side, dtype=np.float32),
        "zeros": np.zeros(side, np.float32),
        "side": np.float32(side),
        "zero": np.float32(0),
        "half": np.float32(0.5),
        "one": np.float32(1),
        "radius": np.float32(radius),
        "most": np.float32(255),
        **{name: np.float32(number) for name, number in numbers.items()},
        "two": np.float32(2),
        "one_int": np.int64(1),
        "two_int": np.int64(2),
        "first_int": np.array([0]),
        "others_int": np.array([2, 3]),
        "sides": np.array([side]),
        "column": np.array([side, 1, 1]),
        "one_ints": np.array([1]),
        "three_ints": np.array([3]),
        "sides_of": np.array([1, 2]),
        "margins": np.array([start, start]),
        "ends": np.array([start + framing.side] * 2),
    }
    return nodes, [numpy_helper.from_array(np.asarray(array), f"{NAMES}{name}") for name, array in constants.items()]
