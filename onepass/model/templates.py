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
    """Where a model lies, or may be put, that differs from this one in the arrays, limits and classes of its head."""
    layers = backbone.architecture, backbone.framing, backbone.channels, backbone.layers, backbone.pooling
    pixels = backbone.decoding, backbone.preprocess, backbone.precision, backbone.storage, backbone.weights_sha256()
    shapes = [array.shape for array in head.weights]
    prototypes = head.prototypes is not None and head.prototypes.shape
    of_head = head.activation, head.feature_scale, head.pooling, head.unit_length, shapes, prototypes
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
            layers: dict[str, tuple[NDArray[np.float32], ...]] = {
                f"dense_{number}" if number else "dense": arrays
                for number, arrays in enumerate(zip(*layers_of(head), strict=True))
            }
            if head.prototypes is not None:
                layers["einsum_dense"] = (head.prototypes.T,)
            for layer, arrays in layers.items():
                for name, array in enumerate(arrays):
                    kept = file[f"layers/{layer}/vars/{name}"]
                    if kept.shape != array.shape:
                        return False
                    kept[...] = array
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return False
    about = metadata | {"classes": head.classes, "limits": head.limits and head.limits.model_dump()}
    members[KERAS_METADATA] = json.dumps(about, sort_keys=True).encode()
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
