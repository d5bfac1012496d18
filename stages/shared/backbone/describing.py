"""What the rows of a backbone are: their fingerprint, dtype and shape, found without TensorFlow where it
was found before.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from stages.shared.backbone.fingerprint import fingerprint
from stages.shared.backbone.weights_file import file_sha256
from stages.shared.durable import write_json
from stages.shared.params import INPUT, Backbone
from stages.shared.store.features import Store


class Description(NamedTuple):
    """The rows that a backbone gives."""

    network: str  # sha256 of the network below the cut
    dtype: str
    shape: list[int]  # of one image's features


def describe(
    backbone: Backbone, side: int, previous: Store | None, machine: Path, load: Callable[[], Any]
) -> tuple[Description, str]:
    """The description, and the sha256 of the weights file.

    What is below the cut only the loaded network can tell. The answer for the same file is taken from
    the previous output or from this machine's notes; ``load`` gives the network where neither has it.
    """
    if backbone.layer == INPUT:
        return Description("", "uint8", [side, side, 1 if backbone.color_mode == "grayscale" else 3]), ""
    weights_file = file_sha256(backbone.weights)
    if previous is not None and previous.weights_file == weights_file:
        network = previous.fingerprint.get("network", "")
        if fingerprint(backbone, side, network) == previous.fingerprint:
            return Description(network, previous.dtype, previous.shape), weights_file
    question = json.dumps(fingerprint(backbone, side, weights_file), sort_keys=True)
    note = machine / "descriptions" / f"{hashlib.sha256(question.encode()).hexdigest()}.json"
    try:
        return Description(**json.loads(note.read_bytes())), weights_file
    except (OSError, ValueError, TypeError):
        description = Description(*load().describe())
        write_json(note, description._asdict())
        return description, weights_file
