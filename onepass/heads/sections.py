"""The keys of the sections head and train that several kinds of heads read. What they mean stands in params.yaml."""

from typing import Annotated, ClassVar, Literal, Self, TypeAlias, TypeVar

from pydantic import Field, model_validator

from onepass.params import NONE, Pooling, Section, Seed

Fraction = Annotated[float, Field(ge=0, lt=1)]
Item = TypeVar("Item")
OneOrMore: TypeAlias = (
    Item | Annotated[list[Item], Field(min_length=1, max_length=16)]
)  # for all layers, or one a layer


class HeadSection(Section):
    """What every kind of head reads."""

    section: ClassVar[str] = "head"
    kind: str = "mlp"
    pooling: Pooling = "none"
    activation: Literal["auto", "sigmoid", "softmax"] = "auto"


class ScaledFeatures(HeadSection):
    """What kinds read whose dense layers see the features themselves."""

    scale: Literal["none", "l2", "standard"] = "none"


class HiddenLayers(HeadSection):
    """What kinds with hidden dense layers read."""

    hidden_units: OneOrMore[Annotated[int, Field(ge=1, le=65536)]] = 64
    dropout: OneOrMore[Fraction] = 0.5

    @model_validator(mode="after")
    def _one_dropout_a_layer(self) -> Self:
        units, dropout = self.hidden_units, self.dropout
        if isinstance(dropout, list) and len(dropout) != (len(units) if isinstance(units, list) else 1):
            raise ValueError(f"dropout: {dropout} given; allowed: one value, or one for each of hidden_units: {units}")
        return self

    @property
    def layers(self) -> list[tuple[int, float]]:
        """Units and dropout of each hidden dense layer."""
        units = self.hidden_units if isinstance(self.hidden_units, list) else [self.hidden_units]
        dropout = self.dropout if isinstance(self.dropout, list) else [self.dropout] * len(units)
        return list(zip(units, dropout, strict=True))


class AnyTraining(Section):
    """What every kind of head reads of the section train."""

    section: ClassVar[str] = "train"
    class_weights: Literal["none", "balanced"] = "none"
    seed: Seed = 0


class GradientTraining(AnyTraining):
    """What kinds read that are trained step by step."""

    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.001
    batch: Annotated[int, Field(ge=1, le=65536)] = 32
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 50
    patience: Annotated[int, Field(ge=1, le=100_000)] | Literal["none"] = 10
    monitor: Literal["accuracy", "loss"] = "accuracy"


class FineTuning(GradientTraining):
    """What kinds read that can be trained together with layers of the backbone."""

    unfreeze: Annotated[str, Field(min_length=1)] = NONE
    batch_norm: Literal["frozen", "trained"] = "frozen"
