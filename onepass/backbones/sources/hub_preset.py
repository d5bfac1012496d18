"""A preset of Keras Hub: a folder with the description of a network, its weights, and what it expects of images."""

import json
from pathlib import Path
from typing import Any

from onepass.backbones.backbone import Backbone, register_source
from onepass.backbones.keras_source import KerasSource, libraries
from onepass.backbones.publisher import as_published, told_beside
from onepass.core import UserError
from onepass.engines import Engine
from onepass.params import LAST, BackboneParams, ParamsError

HUB = "hub"
CONFIG = "config.json"
OF_NO_FEATURE = {"name", "trainable", "dtype"}  # keys of its description


class HubPreset(KerasSource):
    """The source behind ``backbone.name: hub``."""

    names = (HUB,)
    reads_publisher = True

    def check(self, params: BackboneParams) -> None:
        """ParamsError: a file where a folder is wanted."""
        path = Path(params.weights)
        if path.suffix in (".h5", ".keras", ".onnx") or path.is_file():
            raise ParamsError(
                [
                    f"backbone.weights: {path} given; allowed for name: {HUB}: a folder of a preset, as "
                    "`save_to_preset` of Keras Hub writes it"
                ]
            )

    def resolve(self, params: BackboneParams, engine: Engine) -> Backbone:
        """UserError: it is no preset, or something is native that nothing in the folder says."""
        folder = Path(params.weights)
        config = read_config(folder)
        told = told_beside(folder)
        return Backbone.of(
            params,
            source=self,
            engine=engine,
            architecture=str(config.get("class_name", "keras hub preset")),
            libraries=(*libraries(engine), "keras-hub"),
            **as_published(params, told, told.side or side_of(config)),
        )

    def whole_keras_network(self, backbone: Backbone) -> Any:
        """Loaded in Keras's safe mode, for the side that is asked for, layer by layer."""
        from onepass.backbones.hub_loading import in_layers  # noqa: PLC0415 - imports TensorFlow

        return in_layers(_loaded(backbone), *backbone.layers)

    def network_to_save(self, backbone: Backbone) -> Any:
        """Where it is cut inside, as any other; else the backbone stays in one piece."""
        from onepass.backbones.hub_loading import in_one_piece  # noqa: PLC0415 - imports TensorFlow

        return in_one_piece(_loaded(backbone)) if backbone.layers == (LAST,) else super().network_to_save(backbone)

    def cuts_to_try(self, backbone: Backbone) -> list[str]:
        """None inside a network whose layers cannot be saved singly; loads the network."""
        from onepass.backbones.cut_points import cuts_to_try  # noqa: PLC0415 - imports TensorFlow
        from onepass.backbones.hub_loading import in_layers, unsaved_layers  # noqa: PLC0415 - imports TensorFlow

        network = _loaded(backbone)
        return [] if unsaved_layers(network) else cuts_to_try(in_layers(network))

    def layers_of(self, backbone: Backbone, _cut: Any) -> Any:
        """What the preset says of its network: the names of layers may change with a version of Keras Hub."""
        config = read_config(Path(backbone.weights))
        described = config.get("config", config)
        return [config.get("class_name", ""), {key: described[key] for key in described if key not in OF_NO_FEATURE}]


def _loaded(backbone: Backbone) -> Any:
    from onepass.backbones.hub_loading import load_preset  # noqa: PLC0415 - imports TensorFlow

    folder = Path(backbone.weights)
    return load_preset(folder, backbone.side, side_of(read_config(folder)))


def read_config(folder: Path) -> dict[str, Any]:
    """The description of a preset's network. UserError: it is none."""
    try:
        config = json.loads((folder / CONFIG).read_bytes())
        if not isinstance(config, dict) or not isinstance(config.get("config", {}), dict):
            raise ValueError("expected a network's description")
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"backbone.weights: {folder} is no preset of Keras Hub: {CONFIG} in it cannot be read ({error}). Save one "
            "with `save_to_preset(FOLDER)`, or run `python -m onepass weights fetch NAME` for one that it knows."
        ) from error
    return config


def side_of(config: dict[str, Any]) -> int | None:
    """Pixels, of the square for which the network was made; None: for any, or it does not say."""
    shape = config.get("config", {}).get("image_shape")
    if not isinstance(shape, list) or len(shape) != 3 or not isinstance(shape[0], int) or shape[0] != shape[1]:
        return None
    return int(shape[0])


register_source(HubPreset())
