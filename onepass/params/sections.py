"""The sections data, split, backbone and predict: types, ranges and defaults. What they mean stands in params.yaml."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

INPUT = "input"  # backbone.layer: the cut before the first layer
LAST = "last"  # backbone.layer, train.unfreeze: the output of the network
LEAST_KEPT = 0.1  # of the shorter side of a photo: the rest is resized, too, before it is cut off
NONE = "none"  # backbone.pooling, head.pooling, train.unfreeze and others: nothing of the kind

# Lists of YAML as tuples: params can be compared and counted by their hash.
Channels = Annotated[tuple[float, ...], Field(min_length=3, max_length=3, strict=False)]  # a number each
Deviations = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=3, max_length=3, strict=False)]
LayerName = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Pooling = Literal["none", "avg", "max"]
BackbonePooling = Literal["none", "avg", "max", "cls", "cls+avg"]
VersionsRule = Literal["close", "exact", "renew"]


class Section(BaseModel):
    """Strict: no unknown key, no value of another type, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    section: ClassVar[str]  # its name in params.yaml


class DataParams(Section):
    """Where the photos are, and which of them may be used."""

    section: ClassVar[str] = "data"
    root: Annotated[str, Field(min_length=1)]
    max_megapixels: Annotated[int, Field(ge=1, le=1000)] = 80
    label_conflicts: Literal["error", "quarantine"] = "error"
    max_quarantined: Annotated[float, Field(ge=0, le=1)] = 0.2
    fixes: Annotated[str, Field(min_length=1)] = "data/fixes.csv"

    @property
    def max_pixels(self) -> int:
        """Of a photo."""
        return self.max_megapixels * 1_000_000


class SplitParams(Section):
    """How photos are split that nobody has split before."""

    section: ClassVar[str] = "split"
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    test_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.2
    seed: Seed = 0

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        total = self.validation_fraction + self.test_fraction
        if total >= 1:
            raise ValueError(
                f"validation_fraction + test_fraction: {total:g} given, which leaves nothing to train on; "
                "allowed: below 1"
            )
        return self


class PixelScaling(BaseModel):
    """``backbone.preprocess`` in parts: ``(pixel * scale - mean) / std`` for each channel."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    mean: Channels
    std: Deviations
    channels: Literal["rgb", "bgr"] = "rgb"


class BackboneParams(Section):
    """The network, its cut, and the pixels that it is given. ``onepass.backbones.resolve`` knows which names exist."""

    section: ClassVar[str] = "backbone"
    name: Annotated[str, Field(min_length=1)]
    weights: Annotated[str, Field(min_length=1)]
    image_side: Annotated[int, Field(ge=1, le=4096)] | Literal["native"] = "native"
    layer: LayerName | Annotated[tuple[LayerName, ...], Field(min_length=1, max_length=16, strict=False)] = LAST
    pooling: BackbonePooling = "none"
    special_tokens: Annotated[int, Field(ge=0, le=1000)] = 1
    color_mode: Literal["rgb", "grayscale"] = "rgb"
    views: Annotated[int, Field(ge=1, le=256)] = 1
    decoding: Literal["scaled", "exact"] = "scaled"
    preprocess: Annotated[str, Field(min_length=1)] | PixelScaling = "native"
    resize: Literal["stretch", "crop", "native"] = "stretch"
    crop_fraction: Annotated[float, Field(ge=LEAST_KEPT, le=1)] = 0.875
    interpolation: Literal["bilinear", "bicubic", "native"] = "bilinear"
    precision: Literal["float32", "bfloat16"] = "float32"
    runtime: Annotated[str, Field(min_length=1)] = "openvino"
    storage: Literal["float32", "float16"] = "float32"
    versions: VersionsRule = "close"

    @model_validator(mode="after")
    def _layers_can_stand_side_by_side(self) -> Self:
        layers = self.layers
        if twice := [layer for place, layer in enumerate(layers) if layer in layers[:place]]:
            raise ValueError(f"layer: {twice[0]} stands twice in the list; allowed: each layer once")
        if INPUT in layers and not isinstance(self.layer, str):
            raise ValueError(f"layer: {INPUT} given in a list; allowed there: names of layers, {LAST}")
        return self

    @property
    def layers(self) -> tuple[str, ...]:
        """After which the network is cut: one, as mostly, or several, whose features stand side by side."""
        return (self.layer,) if isinstance(self.layer, str) else self.layer

    @property
    def cut(self) -> str:
        """The same for people."""
        return "+".join(self.layers)

    @property
    def crop(self) -> float | None:
        """The share of the shorter side that is kept; None: all of the photo, or what the publisher says."""
        return self.crop_fraction if self.resize == "crop" else None


class PredictParams(Section):
    """When a model says that it does not know."""

    section: ClassVar[str] = "predict"
    refuse: Annotated[float, Field(ge=0, le=0.5)] = 0.02
