"""What a backbone's weights file tells without TensorFlow."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from stages.shared.backbone.applications import APPLICATIONS
from stages.shared.errors import UserError
from stages.shared.params import Backbone


def file_sha256(path: str) -> str:
    """The digest of a weights file. UserError where it is missing."""
    if not Path(path).is_file():
        raise UserError(
            f"backbone.weights: {path} does not exist. `dvc repro` makes what a dvc.yaml knows how to make; "
            "`dvc pull` fetches what the team has; or give the path of a .h5 or .keras file of yours."
        )
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolved_side(backbone: Backbone) -> int:
    """``backbone.image_side`` in pixels, also where it is native."""
    if backbone.image_side != "native":
        return backbone.image_side
    if not backbone.weights.endswith(".keras"):
        return APPLICATIONS[backbone.name].image_side
    try:
        shape = _config(backbone.weights)["config"]["layers"][0]["config"]["batch_shape"]
    except (KeyError, IndexError, TypeError):
        shape = None
    if not isinstance(shape, list) or len(shape) != 4 or shape[1] is None or shape[1] != shape[2]:
        raise UserError(
            f"backbone.image_side: native given, but {backbone.weights} does not say for which side it was made "
            f"(its input is {shape}). Give the side in pixels."
        )
    return int(shape[1])


def resolved_preprocess(backbone: Backbone) -> str:
    """``backbone.preprocess`` as a mode of stages.shared.backbone.preprocessing, also where it is native."""
    return APPLICATIONS[backbone.name].preprocess if backbone.preprocess == "native" else backbone.preprocess


def _config(path: str) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            config: dict[str, Any] = json.loads(archive.read("config.json"))
            return config
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"backbone.weights: {path} is not a .keras file ({error}). Save it with `model.save('name.keras')`."
        ) from error
