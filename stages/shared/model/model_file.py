"""The file of the whole model: a .keras archive that plain Keras loads, with the class names in its metadata.

An identical model gives identical bytes: Keras's own archive says when it was written and where in memory
the parts of the model were.
"""

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from stages.shared.durable import write_whole
from stages.shared.errors import UserError
from stages.shared.tensorflow import keras

CONFIG, METADATA = "config.json", "metadata.json"  # members of the archive, by Keras's names
RESIZE = "resize"  # the name of the first layer: what comes after it takes photos of one size
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


class Model(NamedTuple):
    """A whole model as its file holds it."""

    network: Any  # Keras: uint8 RGB (batch, height, width, 3), 0..255, to float32 (batch, classes)
    classes: list[str]

    @property
    def side(self) -> int:
        """Pixels, of the square to which the model resizes photos."""
        return int(self.network.get_layer(RESIZE).height)

    def after_resize(self) -> Any:
        """What comes after the first layer: uint8 RGB (batch, side, side, 3) to float32 (batch, classes)."""
        return keras.Model(self.network.get_layer(RESIZE).output, self.network.output)


def write_model(path: Path, network: Any, classes: list[str]) -> None:
    """Writes ``network``, whose outputs are probabilities of ``classes``."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        network.save(saved)
        with zipfile.ZipFile(saved) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
    members[CONFIG] = _renumbered(members[CONFIG].decode()).encode()
    metadata = {"keras_version": keras.__version__, "classes": classes}
    members[METADATA] = json.dumps(metadata, sort_keys=True).encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), member)
    write_whole(path, content.getvalue())


def read_model(path: Path) -> Model:
    """The model in a file that ``write_model`` wrote. UserError where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            classes = json.loads(archive.read(METADATA)).get("classes")
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        shapes = network.input_shape, network.output_shape
        names = [layer.name for layer in network.layers]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}. `dvc repro` writes the model.") from error
    except Exception as error:  # of a damaged file zipfile, h5py and Keras raise nearly every type there is
        raise UserError(f"{path} is no .keras model that can be loaded: {error}. `dvc repro` writes one.") from error
    if not classes or shapes != ((None, None, None, 3), (None, len(classes))) or RESIZE not in names:
        raise UserError(
            f"{path} is a Keras model, but not one from photos to classes as train-head writes it: it takes "
            f"{shapes[0]}, gives {shapes[1]}, and its {METADATA} names {len(classes or ())} classes."
        )
    return Model(network, classes)


def _renumbered(config: str) -> str:
    """Keras's description of a model, with the memory addresses in it replaced by counting."""
    seen: dict[str, int] = {}
    return re.sub(
        r'("shared_object_id": )(\d+)', lambda found: f"{found[1]}{seen.setdefault(found[2], len(seen))}", config
    )
