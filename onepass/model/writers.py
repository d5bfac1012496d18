"""Which file writes the whole model of a backbone and a head."""

import os
from collections.abc import Callable
from pathlib import Path

from onepass.backbones import Backbone
from onepass.core import UserError, write_atomically
from onepass.heads import TrainedHead
from onepass.model.templates import find_template, keep_template, write_from_template

Writer = Callable[[Path, Backbone, TrainedHead], None]
WRITERS: dict[str, tuple[Writer, str]] = {}
SUFFIXES = (".keras", ".onnx")  # of the outputs of train-head; of those that a run does not write, it says so
LONGEST = 4096  # bytes of such a line, at most
ELSEWHERE = b"The model of this run is "


def register_model_writer(model_format: str, writer: Writer, suffix: str = ".keras") -> None:
    """Makes the writer of a format known; sources name the format as their ``model_format``."""
    WRITERS[model_format] = writer, suffix


def write_model(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    """Writes the model in the format of the backbone's source. An identical model gives identical bytes.

    Args:
        path: of the file, but for its suffix. DVC wants every output there is, so that each other suffix has a file,
            too, with a line of text.

    Raises:
        UserError: the backbone cannot be loaded.

    """
    writer, chosen = WRITERS[backbone.source.model_format]
    writer(path.with_suffix(chosen), backbone, head)
    for suffix in SUFFIXES:
        if suffix != chosen:
            write_atomically(path.with_suffix(suffix), ELSEWHERE + os.fsencode(path.with_suffix(chosen)) + b".\n")


def check_is_here(path: Path) -> None:
    """UserError: the file only says where the model of its run is. OSError: it cannot be read."""
    with path.open("rb") as file:
        begin = file.read(LONGEST)
    if begin.startswith(ELSEWHERE):
        raise UserError(f"{path} holds no model. {begin.decode(errors='replace').strip()}")


def _write_keras(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    template = find_template(backbone, head) if head.network is None else None
    if template and write_from_template(path, template, head):
        return
    from onepass.model.keras_model import write_keras_model  # noqa: PLC0415 - imports TensorFlow

    write_keras_model(path, backbone, head)
    if template:
        keep_template(template, path)


def _write_onnx(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    from onepass.model.onnx_model import write_onnx_model  # noqa: PLC0415 - only where there is one

    write_onnx_model(path, backbone, head)


register_model_writer("keras", _write_keras)
register_model_writer("onnx", _write_onnx, ".onnx")
