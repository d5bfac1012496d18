"""The parameters: one schema, checked as a whole before any work.

Field order, meaning and units are explained in ``params.yaml``, where people read them.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

# DVC writes params.yaml with ruamel (YAML 1.2). PyYAML (1.1) would read its 1e-05 as a string.
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from stages.shared.backbone.applications import APPLICATIONS
from stages.shared.errors import UserError, listed

LARGEST_FILE = 1 << 20  # bytes; parameters are a page of text
INPUT = "input"  # backbone.layer: the cut before the first layer
LAST = "last"  # backbone.layer, train.unfreeze: the output of the network
NOTHING = "none"  # train.unfreeze: no layer of the backbone

Fraction = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Pooling = Literal["none", "avg", "max"]
Item = TypeVar("Item")
OneOrMore: TypeAlias = (
    Item | Annotated[list[Item], Field(min_length=1, max_length=16)]
)  # one for all layers, or one a layer


class Section(BaseModel):
    """Strict: no unknown key, no value of another type, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Data(Section):
    root: Annotated[str, Field(min_length=1)]
    max_megapixels: Annotated[int, Field(ge=1, le=1000)]
    label_conflicts: Literal["error", "quarantine"]


class Split(Section):
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    test_fraction: Fraction
    seed: Seed

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        total = self.validation_fraction + self.test_fraction
        if total >= 1:
            raise ValueError(
                f"validation_fraction + test_fraction: {total:g} given, which leaves nothing to train on; "
                "allowed: below 1"
            )
        return self


class Backbone(Section):
    name: str
    weights: Annotated[str, Field(min_length=1)]
    image_side: Annotated[int, Field(ge=1, le=4096)] | Literal["native"]
    layer: Annotated[str, Field(min_length=1)]
    pooling: Pooling
    color_mode: Literal["rgb", "grayscale"]
    views: Annotated[int, Field(ge=1, le=256)]
    preprocess: Literal["native", "rescale", "caffe", "tf", "torch", "none"]
    precision: Literal["float32", "bfloat16"]
    runtime: Literal["tensorflow", "openvino"]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.layer == INPUT:
            if self.image_side == "native":
                raise ValueError("image_side: native given, but layer: input has no network; allowed: 1..4096")
            return self
        if self.color_mode == "grayscale":
            raise ValueError(f"color_mode: grayscale given; allowed for layer: {self.layer}: rgb (networks see colour)")
        if self.name == "custom":
            if not self.weights.endswith(".keras"):
                raise ValueError(f"weights: {self.weights!r} given; allowed for name: custom: a .keras file")
            if self.preprocess == "native":
                raise ValueError(
                    "preprocess: native given, which a custom network does not tell; "
                    "allowed: rescale, caffe, tf, torch, none"
                )
        elif self.name not in APPLICATIONS:
            raise ValueError(f"name: {self.name!r} given; allowed: custom, {', '.join(sorted(APPLICATIONS))}")
        elif not self.weights.endswith((".keras", ".h5")):
            raise ValueError(f"weights: {self.weights!r} given; allowed: a .h5 or a .keras file")
        elif self.image_side != "native" and self.image_side < APPLICATIONS[self.name].smallest_side:
            raise ValueError(
                f"image_side: {self.image_side} given; allowed for {self.name}: "
                f"{APPLICATIONS[self.name].smallest_side}..4096, or native"
            )
        return self


class Head(Section):
    kind: Literal["linear", "mlp", "cnn", "logistic"]
    pooling: Pooling
    filters: OneOrMore[Annotated[int, Field(ge=1, le=4096)]]
    hidden_units: OneOrMore[Annotated[int, Field(ge=1, le=65536)]]
    dropout: OneOrMore[Fraction]
    activation: Literal["auto", "sigmoid", "softmax"]

    @model_validator(mode="after")
    def _one_dropout_a_layer(self) -> Self:
        units, dropout = self.hidden_units, self.dropout
        if isinstance(dropout, list) and len(dropout) != (len(units) if isinstance(units, list) else 1):
            raise ValueError(f"dropout: {dropout} given; allowed: one value, or one for each of hidden_units: {units}")
        return self


class Train(Section):
    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    batch: Annotated[int, Field(ge=1, le=65536)]
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    patience: Annotated[int, Field(ge=1, le=100_000)] | Literal["none"]
    monitor: Literal["accuracy", "loss"]
    class_weights: Literal["none", "balanced"]
    unfreeze: Annotated[str, Field(min_length=1)]
    batch_norm: Literal["frozen", "trained"]
    seed: Seed


class Params(Section):
    data: Data
    split: Split
    backbone: Backbone
    head: Head
    train: Train

    @model_validator(mode="after")
    def _head_fits_the_cut(self) -> Self:
        cut = self.backbone.layer
        if self.train.unfreeze != NOTHING:
            if cut in (INPUT, LAST):
                raise ValueError(
                    f"train.unfreeze: {self.train.unfreeze} given, but backbone.layer: {cut} leaves no layer above "
                    "the cut; allowed: none, or a backbone.layer inside the network"
                )
            if self.backbone.pooling != "none":
                raise ValueError(
                    f"train.unfreeze: {self.train.unfreeze} given with backbone.pooling: {self.backbone.pooling}; "
                    "allowed: backbone.pooling: none (head.pooling pools after the trained layers)"
                )
            if self.head.kind in ("cnn", "logistic"):
                raise ValueError(
                    f"train.unfreeze: {self.train.unfreeze} given with head.kind: {self.head.kind}; "
                    "allowed: linear, mlp"
                )
        return self


def load_params(path: Path = Path("params.yaml")) -> Params:
    """All parameters, checked. UserError names each key that is wrong, what was given and what is allowed."""
    if not path.is_file():
        raise UserError(f"{path} is missing. Run from the root of the project, where {path} and dvc.yaml are.")
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(f"{path} has {path.stat().st_size:,} bytes; allowed: {LARGEST_FILE:,}.")
    try:
        # Aliases can blow a small file up to gigabytes, and no parameter needs one.
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(text)):
            raise UserError(f"{path} has a YAML alias (*name); write the value out instead.")
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, or a date like 2024-02-30
        raise UserError(f"{path} is not readable YAML: {error}") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        problems: dict[str, list[str]] = {}  # a union of types reports each of its members: join them
        for problem in error.errors():
            problems.setdefault(".".join(map(str, problem["loc"][:2])), []).append(_sentence(problem))
        lines = [key + " or".join(sentences) for key, sentences in problems.items()]
        raise UserError(f"{path} cannot be used:\n{listed(lines, most=20)}") from error


def _sentence(problem: Any) -> str:
    """One entry of pydantic's report in our words: what was given, what is allowed."""
    if problem["type"] == "extra_forbidden":
        section, *key = problem["loc"]
        model = Params.model_fields[section].annotation if key else Params
        return f": unknown key; allowed: {', '.join(model.model_fields)}"  # type: ignore[union-attr]
    if problem["type"] == "missing":
        return ": missing; add it back (the params.yaml of the project says what each key means)"
    if problem["type"] == "value_error":  # from our own checks, which begin with the key
        return f"{'.' if problem['loc'] else ''}{problem['ctx']['error']}"
    if not problem["loc"]:
        return "expected the sections data, split, backbone, head and train"
    return f": {problem['input']!r} given; {problem['msg'].removeprefix('Input ')}"
