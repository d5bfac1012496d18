"""Any network in an ONNX file: exported from PyTorch, from Keras, or by whoever published it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.backbones.backbone import Backbone, Network, register_source
from onepass.backbones.preprocessing import MODES
from onepass.backbones.publisher import READERS, Told, as_published, told_beside
from onepass.engines import Engine, engine_names, find_engine
from onepass.onnx import SUFFIX, side_of
from onepass.params import BackboneParams, ParamsError

ONNX = "onnx"


class OnnxFile:
    """The source behind ``backbone.name: onnx``."""

    names = (ONNX,)
    model_format = "onnx"
    reads_publisher = True

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
        weights = Path(params.weights)
        given = (params.preprocess, params.image_side, params.resize, params.interpolation)
        told = told_beside(weights) if "native" in given else Told()
        side = side_of(weights) or told.side if params.image_side == "native" else None
        return Backbone.of(
            params,
            source=self,
            engine=engine,
            architecture="onnx file",
            libraries=tuple(sorted({ONNX, engine.package})),
            **as_published(params, told, side),
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


register_source(OnnxFile())
