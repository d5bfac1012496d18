"""A backbone with nothing left to look up, the protocol of its sources, and which source a params.yaml means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from onepass.backbones.preprocessing import MODES, Mode
from onepass.engines import Engine, Forward, engine_names, find_engine
from onepass.params import INPUT, BackboneParams, ParamsError, check_weights, weights_sha256
from onepass.photos import Framing


class FeatureShape(NamedTuple):
    """The rows that a network gives, and what tells it from others."""

    network: str  # sha256 of the network below the cut; empty where there is none
    dtype: str
    shape: list[int]  # of the features of one image


class Network(Protocol):
    """A loaded network, cut and frozen."""

    def feature_shape(self) -> FeatureShape:
        """What its rows are."""

    def forward(self, batch: int) -> Forward:
        """Compiled by the engine of its backbone for this many images a call, to which the caller pads the last."""


class Source(Protocol):
    """Where a backbone comes from."""

    @property
    def names(self) -> Sequence[str]:
        """The values of ``backbone.name`` that mean it."""

    @property
    def model_format(self) -> str:
        """Which writer of ``onepass.model`` writes the whole model of it and a head."""

    @property
    def reads_publisher(self) -> bool:
        """Whether it knows what native means for ``resize`` and ``interpolation``."""

    def check(self, params: BackboneParams) -> None:
        """ParamsError: a value that this source does not take; it says which it would. Reads no file."""

    def unread_keys(self, params: BackboneParams) -> Mapping[str, str]:
        """The keys of the section backbone that it does not read, each with the param because of which."""

    def resolve(self, params: BackboneParams, engine: Engine) -> "Backbone":
        """The backbone, from checked params and what a weights file says of itself: without TensorFlow."""

    def load(self, backbone: "Backbone") -> Network:
        """The network. UserError: weights or layer are not what they should be."""

    def whole_network(self, backbone: "Backbone") -> Any:
        """The part of the whole model from resized pixels to features, as the writer of ``model_format`` takes it."""

    def cuts_to_try(self, backbone: "Backbone") -> list[str]:
        """Layers after which a cut may serve best, the deepest first; empty where there is none to choose."""

    def layers_above(self, backbone: "Backbone", last: str, train_batch_norm: bool) -> Any:
        """The layers from the cut up to ``last``, to be trained. UserError: this source cannot be fine-tuned so."""


# Params that mean the same whatever the source.
AS_THEY_STAND = (
    *("weights", "decoding", "layers", "pooling", "special_tokens", "precision", "storage", "crop", "interpolation"),
)


@dataclass(frozen=True)
class Backbone:
    """A backbone as params.yaml means it; what every other package is given instead of names to look up."""

    source: Source
    architecture: str  # for people and the fingerprint: VGG16
    weights: str  # path
    side: int  # pixels, of the square that it is given
    channels: int  # 3: RGB, 1: grey
    decoding: str  # scaled | exact
    layers: tuple[str, ...]  # of the cut; INPUT, LAST or a name; of several, the features stand side by side
    pooling: str  # none | avg | max | cls | cls+avg
    preprocess: Mode
    precision: str  # float32 | bfloat16
    storage: str  # float32 | float16: the type in which features are kept
    engine: Engine
    libraries: tuple[str, ...]  # whose versions can change the last bits of its features
    crop: float | None = None  # as in Framing
    interpolation: str = "bilinear"  # bilinear | bicubic
    special_tokens: int = 1  # of (tokens, channels) features, how many come before those of the image

    @classmethod
    def of(
        cls,
        params: BackboneParams,
        *,
        source: Source,
        engine: Engine,
        architecture: str,
        side: int,
        preprocess: Mode,
        libraries: tuple[str, ...],
        **others: Any,
    ) -> "Backbone":
        """What the params say of themselves, and what its source makes of the rest; ``others`` differ from them."""
        said = {name: getattr(params, name) for name in AS_THEY_STAND}
        return cls(
            source=source,
            engine=engine,
            architecture=architecture,
            side=side,
            preprocess=preprocess,
            libraries=libraries,
            **{**said, "channels": 3, **others},
        )

    @property
    def has_network(self) -> bool:
        """Whether features are anything but the pixels themselves."""
        return self.layers != (INPUT,)

    def each_layer(self) -> list["Backbone"]:
        """For each layer, the one that is cut after it alone."""
        return [replace(self, layers=(layer,)) for layer in self.layers]

    @property
    def framing(self) -> Framing:
        """What of a photo it is given."""
        return Framing(self.side, self.crop, self.interpolation)

    @property
    def pixel_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what it is given."""
        return self.side, self.side, self.channels

    def load(self) -> Network:
        """The network, cut and frozen; imports what its source needs."""
        return self.source.load(self)

    def weights_sha256(self) -> str:
        """The digest of the weights file; empty where there is no network. UserError: the file is missing."""
        return weights_sha256(self.weights) if self.has_network else ""

    def check_weights(self, record: Path) -> None:
        """UserError: the weights file is missing, or is not the one of ``onepass.params.record_weights``."""
        if self.has_network:
            check_weights(self.weights, record)


SOURCES: dict[str, Source] = {}


def register_source(source: Source) -> Source:
    """Makes a source known under each of its names."""
    SOURCES.update(dict.fromkeys(source.names, source))
    return source


def check_backbone(params: BackboneParams) -> tuple[Source, Engine]:
    """Where the backbone comes from and what runs it, both before any file is read.

    Raises:
        ParamsError: there is no such backbone or engine, or the source does not take a value.

    """
    try:
        engine = find_engine(params.runtime)
    except KeyError as error:
        allowed = ", ".join(engine_names())
        raise ParamsError([f"backbone.runtime: {params.runtime!r} given; allowed: {allowed}"]) from error
    name = INPUT if params.layer == INPUT else params.name
    if name not in SOURCES:
        allowed = ", ".join(["custom", *sorted(set(SOURCES) - {"custom", INPUT})])
        raise ParamsError([f"backbone.name: {name!r} given; allowed: {allowed}"])
    if params.color_mode == "grayscale" and name != INPUT:
        raise ParamsError(
            [f"backbone.color_mode: grayscale given; allowed for layer: {params.cut}: rgb (networks see colour)"]
        )
    if isinstance(params.preprocess, str) and params.preprocess not in ("native", *MODES):
        named = ", ".join(MODES)
        raise ParamsError(
            [
                f"backbone.preprocess: {params.preprocess!r} given; allowed: native, {named}, or its parts, scale, "
                "mean, std and channels"
            ]
        )
    if params.precision not in engine.precisions:
        raise ParamsError(
            [
                f"backbone.precision: {params.precision} given; allowed with runtime: {engine.name}: "
                f"{', '.join(engine.precisions)}"
            ]
        )
    for key, allowed in (("resize", "stretch, crop"), ("interpolation", "bilinear, bicubic")):
        if getattr(params, key) == "native" and not SOURCES[name].reads_publisher:
            raise ParamsError([f"backbone.{key}: native given, which name: {name} does not tell; allowed: {allowed}"])
    SOURCES[name].check(params)
    return SOURCES[name], engine


def resolve(params: BackboneParams) -> Backbone:
    """The backbone that these params mean.

    Raises:
        ParamsError: as ``check_backbone``.
        UserError: the weights file does not say what is asked of it.

    """
    source, engine = check_backbone(params)
    return source.resolve(params, engine)
