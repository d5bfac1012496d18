"""No network: the cut is the input, and features are the resized pixels themselves, for a CNN from scratch."""

from dataclasses import dataclass
from typing import Any

from onepass.backbones.backbone import Backbone, FeatureShape, register_source
from onepass.backbones.preprocessing import MODES
from onepass.engines import Engine, Forward
from onepass.params import INPUT, BackboneParams, ParamsError


@dataclass(frozen=True)
class PixelNetwork:
    """Gives back what it is given."""

    backbone: Backbone

    def feature_shape(self) -> FeatureShape:
        """uint8 rows: pixels are stored as they are."""
        return FeatureShape("", "uint8", [*self.backbone.pixel_shape])

    def forward(self, _batch: int) -> Forward:
        """Nothing to compile."""
        return Forward(lambda pixels: pixels, at_once=1)


class Pixels:
    """The source behind ``backbone.layer: input``, whatever the name says."""

    names = (INPUT,)
    model_format = "keras"
    reads_publisher = False

    def check(self, params: BackboneParams) -> None:
        """ParamsError: the side is native, and there is no network to know it."""
        if params.image_side == "native":
            raise ParamsError(["backbone.image_side: native given, but layer: input has no network; allowed: 1..4096"])

    def unread_keys(self, _params: BackboneParams) -> dict[str, str]:
        """All that is only for a network, but for the weights: what they name has to be a file."""
        unread = ["name", "pooling", "special_tokens", "preprocess", "precision", "runtime", "storage"]
        return dict.fromkeys(unread, f"backbone.layer: {INPUT}")

    def resolve(self, params: BackboneParams, engine: Engine) -> Backbone:
        """All of it stands in the params."""
        return Backbone.of(
            params,
            source=self,
            engine=engine,
            architecture="",
            side=int(params.image_side),
            preprocess=MODES["none"],
            libraries=(),
            channels=1 if params.color_mode == "grayscale" else 3,
            precision="float32",
            storage="float32",
        )

    def load(self, backbone: Backbone) -> PixelNetwork:
        """No file is read."""
        return PixelNetwork(backbone)

    def whole_network(self, _backbone: Backbone) -> Any:
        """Pixels to pixels."""
        return lambda pixels: pixels

    def cuts_to_try(self, _backbone: Backbone) -> list[str]:
        """The cut is the input."""
        return []

    def layers_above(self, _backbone: Backbone, last: str, _train_batch_norm: bool) -> Any:
        """ParamsError: there is no layer."""
        raise ParamsError(
            [f"train.unfreeze: {last} given, but backbone.layer: input leaves no layer above the cut; allowed: none"]
        )


register_source(Pixels())
