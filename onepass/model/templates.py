"""A whole model without TensorFlow: the file of an earlier one with the same layers, and the arrays of a new head.

Importing TensorFlow takes longer than fitting a logistic head and judging it. Models are kept beside DVC's cache, a few
of them; they can be deleted at any time.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from onepass.backbones import Backbone
from onepass.core import KERAS_METADATA, KERAS_WEIGHTS, sha256_of_files, write_atomically, write_zip
from onepass.dvc_repo import machine_folder_of_here
from onepass.engines import library_version
from onepass.heads import TrainedHead

CODE = ("model", "backbones", "tensorflow", "heads")  # packages whose code decides what a model looks like
KEPT = 4
LIBRARIES = ("keras", "tensorflow", "h5py")


def find_template(backbone: Backbone, head: TrainedHead) -> Path:
    """Where a model lies, or may be put, that differs from this one in the head's arrays and class names alone."""
    layers = backbone.architecture, backbone.framing, backbone.channels, backbone.layer, backbone.pooling
    pixels = backbone.decoding, backbone.preprocess, backbone.precision, backbone.storage, backbone.weights_sha256()
    shapes = [array.shape for array in head.weights]
    of_head = head.activation, head.feature_scale, head.pooling, head.unit_length, shapes
    versions = [library_version(name) for name in LIBRARIES]
    code = [path for name in CODE for path in sorted((Path(__file__).parents[1] / name).rglob("*.py"))]
    question = json.dumps([layers, pixels, of_head, versions, sha256_of_files(*code)])
    return machine_folder_of_here() / "models" / f"{hashlib.sha256(question.encode()).hexdigest()}.keras"


def write_from_template(path: Path, template: Path, head: TrainedHead) -> bool:
    """Writes the model; False where there is no template, or none that can be read."""
    try:
        with zipfile.ZipFile(template) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        metadata = json.loads(members[KERAS_METADATA])
        weights = io.BytesIO(members[KERAS_WEIGHTS])
        with h5py.File(weights, "r+") as file:
            for number, arrays in enumerate(zip(*layers_of(head), strict=True)):
                group = file[f"layers/dense_{number}" if number else "layers/dense"]["vars"]
                for name, array in zip("01", arrays, strict=True):
                    if group[name].shape != array.shape:
                        return False
                    group[name][...] = array
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return False
    members[KERAS_METADATA] = json.dumps({**metadata, "classes": head.classes}, sort_keys=True).encode()
    members[KERAS_WEIGHTS] = weights.getvalue()
    write_zip(path, members)
    return True


def keep_template(template: Path, model: Path) -> None:
    """Keeps a model that was written, and no more than a few."""
    write_atomically(template, model.read_bytes())
    kept = sorted(template.parent.glob("*.keras"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)


def layers_of(head: TrainedHead) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Kernels and biases of the dense layers as the whole model has them: the last one gives a logit for each class."""
    kernels, biases = list(head.weights[::2]), list(head.weights[1::2])
    if head.activation == "sigmoid":  # of z, which is the softmax of (0, z)
        kernels[-1], biases[-1] = (
            np.concatenate([np.zeros_like(last), last], axis=-1) for last in (kernels[-1], biases[-1])
        )
    return kernels, biases
