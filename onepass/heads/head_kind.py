"""What a kind of head is, which there are, and what params.yaml asks of the chosen one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import create_model

from onepass.core import UserError
from onepass.heads.dataset import Dataset
from onepass.heads.sections import AnyTraining, FineTuning, HeadSection, ScaledFeatures
from onepass.heads.trained_head import Figures, TrainedHead
from onepass.params import INPUT, LAST, NONE, BackboneParams, ParamsError, ParamsFile, Section

AnySection = TypeVar("AnySection", bound=Section)


class FitTask(NamedTuple):
    """What a kind of head is given to fit."""

    head: Any  # its keys of the section head, of the type that it declares
    train: Any  # its keys of the section train, likewise
    empty: TrainedHead  # classes, activation, scale and pooling; the kind fills in the rest
    shape: list[int]  # of the stored features of one image
    data: Dataset
    validation: Dataset
    layers_above: Callable[[], Any] | None  # of the backbone, to be trained too: a Keras model from features to maps
    log: Callable[[Figures, Figures], None]  # takes the figures of training and of validation after each epoch


@dataclass(frozen=True)
class HeadKind:
    """A kind of head."""

    name: str  # head.kind
    head: type[HeadSection]  # the keys of head that it reads, with defaults
    train: type[AnyTraining]  # the keys of train
    fit: Callable[[FitTask], TrainedHead]
    whole: bool = False  # whether it needs all features in memory at once
    # Takes its keys of head and the shape of the features of one image; UserError: they do not fit. None: all do.
    check_shape: Callable[[Any, Sequence[int]], None] | None = None


class HeadPlan(NamedTuple):
    """A kind of head with its params."""

    kind: HeadKind
    head: Any
    train: Any

    @property
    def unfreeze(self) -> str:
        """The layer of the backbone up to which training goes, or NONE."""
        return self.train.unfreeze if isinstance(self.train, FineTuning) else NONE

    @property
    def scale(self) -> str:
        """What is done to the features of an image before the dense layers: none | l2 | standard."""
        return self.head.scale if isinstance(self.head, ScaledFeatures) else NONE

    @property
    def pools_features(self) -> bool:
        """Whether the stored features are what is pooled, and not what unfrozen layers make of them."""
        return self.head.pooling != NONE and self.unfreeze == NONE

    @property
    def needs_shape(self) -> bool:
        """Whether there are shapes of features that ``check_shape`` refuses."""
        return self.pools_features or self.kind.check_shape is not None

    def check_shape(self, shape: Sequence[int]) -> None:
        """UserError: features of one image that have this shape are not what the head can take."""
        if self.pools_features:
            check_pooling(self.head.pooling, shape)
        if self.kind.check_shape is not None:
            self.kind.check_shape(self.head, shape)


KINDS: dict[str, HeadKind] = {}


def register_head(kind: HeadKind) -> HeadKind:
    """Makes a kind known under its name."""
    KINDS[kind.name] = kind
    return kind


def read_head_plan(params: ParamsFile, backbone: BackboneParams) -> HeadPlan:
    """The chosen kind with its params, checked also against the cut of the backbone.

    Keys that another kind reads may stand in the file; keys that none reads may not.

    Raises:
        ParamsError: a value that is not allowed, or that does not fit the backbone.

    """
    kind, head = read_head_section(params)
    _, any_train = all_head_keys()
    unfreeze = params.read(any_train).unfreeze  # type: ignore[attr-defined]  # made below
    train = params.read(kind.train, ignored=set(any_train.model_fields) - set(kind.train.model_fields))
    if unfreeze != NONE:
        _check_unfreeze(unfreeze, kind, backbone)
    plan = HeadPlan(kind, head, train)
    if NONE not in (unfreeze, plan.scale):
        raise ParamsError(
            [
                f"head.scale: {plan.scale} given with train.unfreeze: {unfreeze}; allowed: none, as what trained "
                "layers give changes with every step"
            ]
        )
    return plan


def read_head_section(params: ParamsFile) -> tuple[HeadKind, Any]:
    """The chosen kind, and the section head as that kind reads it. ParamsError: a value that is not allowed."""
    any_head, _ = all_head_keys()
    kind = KINDS[params.read(any_head).kind]  # type: ignore[attr-defined]  # made below
    return kind, params.read(kind.head, ignored=set(any_head.model_fields) - set(kind.head.model_fields))


def all_head_keys() -> tuple[type[Section], type[Section]]:
    """The sections head and train with the keys of all kinds."""
    return _joined_sections(tuple(KINDS.values()))


@cache
def _joined_sections(kinds: tuple[HeadKind, ...]) -> tuple[type[Section], type[Section]]:
    names = tuple(kind.name for kind in kinds)
    default = HeadSection.model_fields["kind"].default
    head = _joined("AnyHead", [kind.head for kind in kinds], kind=(Literal[names], default))
    return head, _joined("AnyTrain", [kind.train for kind in kinds])


def _joined(name: str, schemas: list[type[AnySection]], **changed: Any) -> type[Section]:
    fields = {key: (field.annotation, field) for schema in schemas for key, field in schema.model_fields.items()}
    joined: Any = create_model(name, __base__=Section, **(fields | changed))
    joined.section = schemas[0].section
    return joined  # type: ignore[no-any-return]


def check_pooling(pooling: str, shape: Sequence[int | None]) -> None:
    """UserError: ``head.pooling`` cannot pool what has this shape."""
    if pooling != NONE and len(shape) != 3:
        raise UserError(
            f"head.pooling: {pooling} given for features of the shape {tuple(shape)}, which have no height and width "
            "to pool over; allowed: none"
        )


def _check_unfreeze(unfreeze: str, kind: HeadKind, backbone: BackboneParams) -> None:
    given = f"train.unfreeze: {unfreeze} given"
    if len(backbone.layers) > 1:
        raise ParamsError([f"{given}, but backbone.layer is a list; allowed: none, or one backbone.layer"])
    if backbone.cut in (INPUT, LAST):
        raise ParamsError(
            [
                f"{given}, but backbone.layer: {backbone.cut} leaves no layer above the cut; allowed: none, or a "
                "backbone.layer inside the network"
            ]
        )
    if backbone.pooling != "none":
        raise ParamsError(
            [
                f"{given} with backbone.pooling: {backbone.pooling}; allowed: backbone.pooling: none "
                "(head.pooling pools after the trained layers)"
            ]
        )
    if not issubclass(kind.train, FineTuning):
        able = [other.name for other in KINDS.values() if issubclass(other.train, FineTuning)]
        raise ParamsError([f"{given} with head.kind: {kind.name}; allowed: {', '.join(able)}"])
