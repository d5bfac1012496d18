"""The part of an ONNX graph below the cut, from uint8 pixels to features: preprocessing before, pooling after it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from onepass.backbones.backbone import Backbone, FeatureShape
from onepass.backbones.pooling import MAPS, TOKENS, check_pooling
from onepass.backbones.preprocessing import Mode
from onepass.core import CORES_VARIABLE, UserError, first_line
from onepass.engines import Forward, check_forward, find_engine, image_to_check, in_pieces, onnx_session
from onepass.onnx import (
    FLOAT,
    TO_FIRST,
    TO_LAST,
    Chain,
    ImageInput,
    below,
    channels_first,
    graph_file,
    image_input,
    joined,
    read_onnx,
    renamed,
    shape_of,
    tensor_called,
)
from onepass.params import weights_files

SECONDS, BYTES_A_SECOND = 30, 5e6  # of work that a trial may take
MEMORY, TIMES = 6 << 30, 8  # bytes of addresses that it may have, and as many more for each of the file
TAKEN = ("photos", "pixels", "probabilities")  # names of tensors outside of the network
REFERENCE = "onnxruntime"  # with which other engines are compared
TRIAL = """
import json, resource, sys
memory, seconds, *asked = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
from onepass.backbones.onnx_network import OnnxCut, tried
print(json.dumps(tried(OnnxCut(*asked))))
"""


class OnnxCut(NamedTuple):
    """What decides the features of an ONNX network, as JSON can hold it."""

    weights: str
    side: int
    layers: tuple[str, ...]
    pooling: str
    special_tokens: int
    preprocess: Any  # the fields of a Mode
    bfloat16: bool
    runtime: str


class FeatureGraph(NamedTuple):
    """From pixels to features."""

    model: Any  # ModelProto: uint8 (batch, side, side, 3) to float32 (batch, *shape)
    batch: int | str  # images that a call takes
    digest: str  # sha256 over the part that comes from the file


def cut_of(backbone: Backbone) -> OnnxCut:
    """That of a backbone."""
    return OnnxCut(
        backbone.weights,
        backbone.side,
        backbone.layers,
        backbone.pooling,
        backbone.special_tokens,
        backbone.preprocess,
        backbone.precision == "bfloat16",
        backbone.engine.name,
    )


def feature_graph(cut: OnnxCut, batch: int | str) -> FeatureGraph:
    """The graph for so many images a call, or for as many as the file fixes.

    Args:
        batch: a name for any number.

    Raises:
        UserError: the file, the tensor, the side or the pooling are not what they should be.

    """
    file = graph_file(Path(cut.weights))
    model = read_onnx(Path(cut.weights))
    image = image_input(model, file)
    if image.side not in (None, cut.side):
        raise UserError(f"backbone.image_side: {cut.side} given; {file} takes {image.side} by {image.side} pixels.")
    tensors = [tensor_called(model, layer) for layer in cut.layers]
    others = {name: f"network/{name}" for name in TAKEN}
    part = renamed(below(model, tensors, image, file), others)
    tensors, image = [others.get(one, one) for one in tensors], image._replace(name=others.get(image.name, image.name))
    batch = image.batch or batch
    before = _preprocessed(Mode(*cut.preprocess), image)
    of_layers = [
        _pooled(cut, number, tensor, shape_of(part, tensor, file), channels_first(part, tensor, image))
        for number, tensor in enumerate(tensors)
    ]
    after = _side_by_side(of_layers)
    digest = hashlib.sha256(part.SerializeToString(deterministic=True)).hexdigest()
    return FeatureGraph(joined(part, before, after, [batch, cut.side, cut.side, 3]), batch, digest)


def _preprocessed(mode: Mode, image: ImageInput) -> Chain:
    """uint8 (batch, side, side, 3) to what the network takes."""
    chain = Chain("before", "pixels").then("Cast", to=FLOAT)
    if mode.bgr:
        chain.then("Gather", np.array([2, 1, 0]), axis=3)
    chain.then("Sub", np.array(mode.mean, np.float32)).then("Div", np.array(mode.scale, np.float32))
    if image.channels_first:
        chain.then("Transpose", perm=TO_FIRST)
    return chain.then("Cast", to=image.type).called(image.name)


def _side_by_side(of_layers: list[Chain]) -> Chain:
    """(batch, values) of each layer to (batch, all values); of one, whatever it is."""
    after, *others = of_layers
    for other in others:
        after.beside(other)
    return after.then("Concat", *(other.end for other in others), axis=1) if others else after


def _pooled(cut: OnnxCut, number: int, tensor: str, shape: tuple[int | None, ...], first: bool) -> Chain:
    """What a layer gives to float32 (batch, height, width, channels), (batch, tokens, channels) or (batch, values).

    Args:
        number: of the layer.
        shape: of the tensor, None where any length may be.
        first: of maps, whether their channels come first.

    """
    check_pooling(cut.pooling, cut.special_tokens, shape, cut.layers[number], len(cut.layers))
    rank, name = len(shape), f"/{number}/" if number else ""
    chain = Chain(f"features{name}", tensor).then("Cast", to=FLOAT)
    if rank == TOKENS and cut.pooling != "none":
        return _pooled_tokens(chain, name, cut.pooling, cut.special_tokens)
    if rank == MAPS and first == (cut.pooling == "none"):
        chain.then("Transpose", perm=TO_LAST if first else TO_FIRST)
    return chain if cut.pooling == "none" else _pooled_maps(chain, cut.pooling)


def _pooled_maps(chain: Chain, pooling: str) -> Chain:
    """(batch, channels, ...) to (batch, channels)."""
    return chain.then(f"Global{'Average' if pooling == 'avg' else 'Max'}Pool").then("Flatten", axis=1)


def _pooled_tokens(tokens: Chain, name: str, pooling: str, special: int) -> Chain:
    """(batch, tokens, channels) to (batch, values). The class token is the first, special ones before the others."""
    if pooling == "cls":
        return tokens.then("Slice", np.array([0]), np.array([1]), np.array([1])).then("Flatten", axis=1)
    patches = Chain(f"patches{name}", tokens.end)
    patches.then("Slice", np.array([special]), np.array([np.iinfo(np.int64).max]), np.array([1]))
    _pooled_maps(patches.then("Transpose", perm=[0, 2, 1]), "max" if pooling == "max" else "avg")
    if pooling != "cls+avg":
        return tokens.then_all(patches)
    return tokens.beside(patches).then("Gather", np.array(0), axis=1).then("Concat", patches.end, axis=1)


class OnnxNetwork:
    """The network below the cut, to be run and to be named by a digest."""

    def __init__(self, backbone: Backbone) -> None:
        """Reads nothing yet."""
        self._backbone = backbone

    def feature_shape(self) -> FeatureShape:
        """Found by a trial in a process of its own, with limits: what a file from elsewhere makes a runtime do, nobody
        can foresee.

        Raises:
            UserError: the file cannot be used, and what is wrong with it.

        """
        found = trial(cut_of(self._backbone))
        if problem := found.get("problem"):
            raise UserError(problem)
        return FeatureShape(**found)

    def forward(self, batch: int) -> Forward:
        """One compiled call: uint8 RGB (batch, side, side, 3), 0..255, to float32 features (batch, *shape)."""
        return compiled(cut_of(self._backbone), batch)[0]


def compiled(cut: OnnxCut, batch: int) -> tuple[Forward, str]:
    """The network for so many images a call, and its digest. UserError: the engine cannot run it."""
    graph = feature_graph(cut, batch)
    compile_onnx = find_engine(cut.runtime).compile_onnx
    assert compile_onnx  # noqa: S101 - the source has checked it
    content = graph.model.SerializeToString()
    forward = compile_onnx(content, cut.bfloat16)
    if cut.runtime != REFERENCE:
        image = image_to_check((cut.side, cut.side, 3))
        session = onnx_session(content)
        pixels = np.repeat(image, int(graph.batch), axis=0)
        expected = session.run(None, {session.get_inputs()[0].name: pixels})[0][:1]
        check_forward(forward, int(graph.batch), image, expected, cut.runtime, cut.bfloat16)
    return forward if graph.batch == batch else in_pieces(forward, int(graph.batch)), graph.digest


def tried(cut: OnnxCut) -> dict[str, Any]:
    """What a trial prints: the fields of a FeatureShape, or what the problem is."""
    try:
        forward, digest = compiled(cut, 1)
        found = forward(np.full((1, cut.side, cut.side, 3), 127, np.uint8))
    except UserError as error:
        return {"problem": str(error)}
    except Exception as error:  # noqa: BLE001 - of a damaged file a runtime raises nearly every type there is
        return {"problem": f"backbone.weights: {cut.weights} cannot be run: {first_line(error)}."}
    if len(found) != 1 or found.ndim < 2 or not found.size:
        layers = ", ".join(cut.layers)
        return {"problem": f"backbone.layer: {layers} gives the shape {found.shape} for an image; expected (1, ...)."}
    return FeatureShape(digest, "float32", [*found.shape[1:]])._asdict()


def trial(cut: OnnxCut) -> dict[str, Any]:
    """``tried`` in a process of its own, with one thread, and limits of memory and time."""
    size = sum(file.stat().st_size for file in weights_files(cut.weights))
    seconds = int(SECONDS + size / BYTES_A_SECOND)
    asked = json.dumps([MEMORY + TIMES * size, seconds, *cut])
    package = str(Path(__file__).parents[2])
    environment = {**os.environ, CORES_VARIABLE: "1", "MALLOC_ARENA_MAX": "1", "PYTHONPATH": package}
    command = [sys.executable, "-c", TRIAL, asked]
    try:
        done = subprocess.run(command, capture_output=True, env=environment, timeout=2 * seconds, check=False)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return {
            "problem": f"backbone.weights: {cut.weights} cannot be run in {seconds} seconds and "
            f"{(MEMORY + TIMES * size) >> 30} GiB: it is damaged, or asks for more than a backbone needs."
        }
