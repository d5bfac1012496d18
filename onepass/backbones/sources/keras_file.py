"""A network of one's own: a .keras file, which holds architecture and weights."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onepass.backbones.backbone import Backbone, register_source
from onepass.backbones.keras_source import KerasSource, libraries
from onepass.backbones.preprocessing import mode_of
from onepass.core import KERAS_CONFIG, KERAS_SUFFIX, UserError, read_archived_text
from onepass.engines import Engine
from onepass.params import BackboneParams, ParamsError


class KerasFile(KerasSource):
    """The source behind ``backbone.name: custom``, and behind a name whose weights are a whole network in a file."""

    names = ("custom",)

    def __init__(self, named: str = "", build: Callable[[str, int], Any] | None = None) -> None:
        """``build`` makes the network of a name for a side in pixels, of which one in a file has the layers."""
        self._named, self._build = named, build

    def check(self, params: BackboneParams) -> None:
        """ParamsError: another kind of file, or preprocessing that such a file does not tell."""
        if not params.weights.endswith(KERAS_SUFFIX):
            raise ParamsError(
                [f"backbone.weights: {params.weights!r} given; allowed for name: custom: a {KERAS_SUFFIX} file"]
            )
        if params.preprocess == "native":
            raise ParamsError(
                [
                    "backbone.preprocess: native given, which a custom network does not tell; "
                    "allowed: rescale, caffe, tf, torch, none, or its parts"
                ]
            )

    def resolve(self, params: BackboneParams, engine: Engine) -> Backbone:
        """UserError: the side is native, and the file does not say it."""
        return Backbone.of(
            params,
            source=self,
            engine=engine,
            architecture="keras file",
            side=_side(params),
            preprocess=mode_of(params.preprocess),
            libraries=libraries(engine),
        )

    def whole_keras_network(self, backbone: Backbone) -> Any:
        """Loaded in Keras's safe mode. UserError: under a name, it is another network than that."""
        from onepass.backbones.keras_loading import check_alike, load_keras_file  # noqa: PLC0415 - imports TensorFlow

        network = load_keras_file(backbone.weights)
        if self._build:
            check_alike(network, self._build(self._named, backbone.side), self._named, backbone.weights)
        return network

    def layers_of(self, _backbone: Backbone, cut: Any) -> Any:
        """The layers come from the file, so their description belongs to the network's digest."""
        return cut.get_config()


def _side(params: BackboneParams) -> int:
    """``backbone.image_side`` in pixels, also where it is native. UserError: the file does not say."""
    if params.image_side != "native":
        return params.image_side
    try:
        shape = _config(params.weights)["config"]["layers"][0]["config"]["batch_shape"]
    except (KeyError, IndexError, TypeError):
        shape = None
    if not isinstance(shape, list) or len(shape) != 4 or shape[1] is None or shape[1] != shape[2]:
        raise UserError(
            f"backbone.image_side: native given, but {params.weights} does not say for which side it was made "
            f"(its input is {shape}). Give the side in pixels."
        )
    return int(shape[1])


def _config(path: str) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(read_archived_text(Path(path), KERAS_CONFIG))
        return config
    except (OSError, KeyError, ValueError, RecursionError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UserError(
            f"backbone.weights: {path} is not a .keras file ({error}). Save it with `model.save('name.keras')`."
        ) from error


KERAS_FILE = KerasFile()
register_source(KERAS_FILE)
