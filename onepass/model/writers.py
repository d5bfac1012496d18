"""Which file writes the whole model of a backbone and a head."""

from collections.abc import Callable
from pathlib import Path

from onepass.backbones import Backbone
from onepass.heads import TrainedHead
from onepass.model.templates import find_template, keep_template, write_from_template

Writer = Callable[[Path, Backbone, TrainedHead], None]
WRITERS: dict[str, Writer] = {}


def register_model_writer(model_format: str, writer: Writer) -> None:
    """Makes the writer of a format known; sources name the format as their ``model_format``."""
    WRITERS[model_format] = writer


def write_model(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    """Writes the model in the format of the backbone's source. An identical model gives identical bytes.

    UserError: the backbone cannot be loaded.
    """
    WRITERS[backbone.source.model_format](path, backbone, head)


def _write_keras(path: Path, backbone: Backbone, head: TrainedHead) -> None:
    template = find_template(backbone, head) if head.network is None else None
    if template and write_from_template(path, template, head):
        return
    from onepass.model.keras_model import write_keras_model  # noqa: PLC0415 - imports TensorFlow

    write_keras_model(path, backbone, head)
    if template:
        keep_template(template, path)


register_model_writer("keras", _write_keras)
