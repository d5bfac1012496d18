"""Any network in an ONNX file: exported from PyTorch, from Keras, or by whoever published it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from onepass.backbones.backbone import Backbone, Network, register_source
from onepass.backbones.preprocessing import MODES, Mode, mode_of
from onepass.core import UserError
from onepass.engines import Engine, engine_names, find_engine
from onepass.onnx import SUFFIX, side_of
from onepass.params import BackboneParams, ParamsError, PixelScaling

ONNX = "onnx"


class OnnxFile:
    """The source behind ``backbone.name: onnx``."""

    names = (ONNX,)
    model_format = "onnx"

    def check(self, params: BackboneParams) -> None:
        """ParamsError: another kind of file, an engine that runs no ONNX, or preprocessing that it does not tell."""
        problems = []
        path = Path(params.weights)
        in_folder = path.suffix != SUFFIX
        if in_folder and path.suffix and not path.is_dir():
            problems.append(
                f"backbone.weights: {path} given; allowed for name: onnx: a {SUFFIX} file, or a folder of one"
            )
        able = [name for name in engine_names() if find_engine(name).compile_onnx]
        if params.runtime not in able:
            problems.append(f"backbone.runtime: {params.runtime} given; allowed for name: onnx: {', '.join(able)}")
        if params.preprocess == "native" and not in_folder:
            problems.append(
                f"backbone.preprocess: native given, which a {SUFFIX} file does not tell; allowed: {', '.join(MODES)}, "
                f"or its parts; or give a folder in which {' or '.join(READERS)} of the publisher lies beside the file"
            )
        if problems:
            raise ParamsError(problems)

    def unread_keys(self, params: BackboneParams) -> Mapping[str, str]:
        """Pretrained networks see colour."""
        return {"color_mode": f"backbone.name: {params.name}"}

    def resolve(self, params: BackboneParams, engine: Engine) -> Backbone:
        """UserError: something is native, and neither the graph nor what lies beside it says what that is."""
        needed = "native" in (params.preprocess, params.image_side)
        told = _told_beside(Path(params.weights)) if needed else Told()
        native = params.preprocess == "native"
        if native and told.mode is None:
            raise UserError(
                f"backbone.preprocess: native given, but {params.weights} has no {' or '.join(READERS)} that says it. "
                f"Allowed: {', '.join(MODES)}, or its parts: scale, mean, std, channels."
            )
        return Backbone(
            source=self,
            architecture="onnx file",
            weights=params.weights,
            side=_side(Path(params.weights), told) if params.image_side == "native" else params.image_side,
            crop=params.crop,
            channels=3,
            decoding=params.decoding,
            layer=params.layer,
            pooling=params.pooling,
            special_tokens=params.special_tokens,
            preprocess=told.mode if native and told.mode else mode_of(params.preprocess),
            precision=params.precision,
            storage=params.storage,
            engine=engine,
            libraries=tuple(sorted({ONNX, engine.package})),
        )

    def load(self, backbone: Backbone) -> Network:
        """Reads nothing yet."""
        from onepass.backbones.onnx_network import OnnxNetwork  # noqa: PLC0415 - only where there is one

        return OnnxNetwork(backbone)

    def whole_network(self, backbone: Backbone) -> Any:
        """From uint8 RGB (batch, side, side, 3) to float32 features: a ModelProto."""
        from onepass.backbones.onnx_network import cut_of, feature_graph  # noqa: PLC0415 - only where there is one

        return feature_graph(cut_of(backbone), "batch").model

    def cuts_to_try(self, _backbone: Backbone) -> list[str]:
        """Tensors of a graph have no order in which one would try them."""
        return []

    def layers_above(self, _backbone: Backbone, last: str, _train_batch_norm: bool) -> Any:
        """ParamsError: an exported graph is not trained."""
        raise ParamsError(
            [f"train.unfreeze: {last} given with backbone.name: onnx, whose graph cannot be trained; allowed: none"]
        )


class Told(NamedTuple):
    """What the publisher says of the images."""

    mode: Mode | None = None
    side: int | None = None  # pixels


def _of_transformers(config: Any) -> Told:
    """preprocessor_config.json of Hugging Face."""
    size = config.get("crop_size" if config.get("do_center_crop") else "size") or {}
    side = size if isinstance(size, int) else size.get("height", size.get("shortest_edge"))
    plain = not config.get("do_normalize", True)
    scaling = PixelScaling(
        scale=float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
        mean=[0.0, 0.0, 0.0] if plain else config["image_mean"],
        std=[1.0, 1.0, 1.0] if plain else config["image_std"],
    )
    return Told(mode_of(scaling), side)


def _of_timm(config: Any) -> Told:
    """config.json of timm."""
    told = config["pretrained_cfg"]
    return Told(mode_of(PixelScaling(scale=1 / 255, mean=told["mean"], std=told["std"])), told["input_size"][-1])


READERS = {"preprocessor_config.json": _of_transformers, "config.json": _of_timm}


def _told_beside(weights: Path) -> Told:
    """From the first file that says it. UserError: one cannot be understood."""
    for name, read in READERS.items():
        path = weights / name
        if path.is_file():
            try:
                config = json.loads(path.read_bytes())
                if read is _of_transformers or "pretrained_cfg" in config:  # Hugging Face has a config.json, too
                    return read(config)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                raise UserError(
                    f"{path} does not say how images are prepared: {error!r}. Give backbone.preprocess."
                ) from error
    return Told()


def _side(weights: Path, told: Told) -> int:
    """``image_side: native`` in pixels: as the graph fixes it, else as the publisher says. UserError: neither does."""
    side = side_of(weights) or told.side
    if side is None:
        raise UserError(
            f"backbone.image_side: native given, but {weights} does not say for which side it was made. Give pixels."
        )
    return side


register_source(OnnxFile())
