"""What the rows of a backbone are: their fingerprint, dtype and shape, found without loading the network where it
was found before.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from onepass.backbones import Backbone, FeatureShape, Network
from onepass.core import write_json
from onepass.dvc_repo import dvc_files, machine_folder
from onepass.features.fingerprint import fingerprint
from onepass.features.reuse import previous_store
from onepass.features.side_by_side import pieces, side_by_side
from onepass.features.store import Store


def specify(
    backbone: Backbone, images: int, previous: Store | None, machine: Path, load: Callable[[], Network]
) -> Store:
    """The store of these many rows, as its fingerprint.json will say.

    What is below the cut only the loaded network can tell. The answer for the same file is taken from
    the previous output or from this machine's notes; ``load`` gives the network where neither has it.
    """
    weights_file = backbone.weights_sha256()
    stores = []
    for one in backbone.each_layer():
        load_one = load if len(backbone.layers) == 1 else one.load
        found = _feature_shape(one, weights_file, previous, machine, load_one)
        # Pixels are stored as they are.
        dtype = backbone.storage if np.issubdtype(found.dtype, np.floating) else found.dtype
        stores.append(Store(images, dtype, found.shape, fingerprint(one, found.network), weights_file))
    return side_by_side(stores)


def shape_of_rows(backbone: Backbone, out: Path) -> list[int]:
    """Of the features of one image, as extraction will write them into ``out``.

    Raises:
        UserError: the network must be loaded, and its weights or its cut do not allow it.

    """
    files = dvc_files()
    return specify(backbone, 0, previous_store(files, out), machine_folder(files), backbone.load).shape


def _feature_shape(
    backbone: Backbone, weights_file: str, previous: Store | None, machine: Path, load: Callable[[], Network]
) -> FeatureShape:
    if not backbone.has_network:
        return load().feature_shape()
    if previous is not None and previous.weights_file == weights_file:
        for piece in pieces(previous):
            network = piece.store.fingerprint.get("network", "")
            if fingerprint(backbone, network) == piece.store.fingerprint:
                return FeatureShape(network, piece.store.dtype, piece.store.shape)
    question = json.dumps(fingerprint(backbone, weights_file), sort_keys=True)
    note = machine / "descriptions" / f"{hashlib.sha256(question.encode()).hexdigest()}.json"
    try:
        return FeatureShape(**json.loads(note.read_bytes()))
    except (OSError, ValueError, TypeError):
        found = load().feature_shape()
        write_json(note, found._asdict())
        return found
