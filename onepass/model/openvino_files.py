"""The whole model as OpenVINO's own files: a folder with model.xml, which says what is computed, and model.bin."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRAPH = "model.xml"
COLUMNS = ("probabilities", "distance")  # the outputs that ``Model.answers`` has side by side
CLASSES = "classes"


def save_openvino(converted: Any, path: Path, classes: Sequence[str]) -> None:
    """Writes a model of OpenVINO into a new folder, with the class names as JSON in its information for the runtime."""
    import openvino  # noqa: PLC0415 - takes half a second

    converted.set_rt_info(json.dumps(list(classes)), CLASSES)
    path.mkdir()
    openvino.save_model(converted, path / GRAPH, compress_to_fp16=False)
    (path / GRAPH).write_text(_renumbered((path / GRAPH).read_text()))


def _renumbered(graph: str) -> str:
    """The numbers in the names of operations count all that this process has ever made: here they count from 0."""
    seen: dict[str, int] = {}
    name = r'(<layer id="\d+" name="[^"]*_)(\d+)(?=")'
    return re.sub(name, lambda found: f"{found[1]}{seen.setdefault(found[2], len(seen))}", graph)


def save_onnx_as_openvino(model: Path, path: Path, classes: Sequence[str]) -> None:
    """The same of a whole model in an ONNX file."""
    import openvino  # noqa: PLC0415 - takes half a second

    save_openvino(openvino.Core().read_model(model), path, classes)


def open_openvino(path: Path) -> list[Any]:
    """One function from uint8 (1, height, width, 3) to float32 columns, computed in float32."""
    import openvino  # noqa: PLC0415 - takes half a second

    # Its own default is bfloat16 where the processor has it.
    compiled = openvino.Core().compile_model(path / GRAPH, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    names = {name: output for output in compiled.outputs for name in output.names}

    def ask(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers = compiled(photo)
        return np.hstack([answers[names[name]] for name in COLUMNS if name in names])

    return [ask]
