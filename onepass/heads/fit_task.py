"""What a kind of head is given to fit, made of the tables and the store."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from onepass.backbones import Backbone
from onepass.core import HashList, UserError, packed
from onepass.features import Store
from onepass.heads.dataset import Dataset, make_dataset
from onepass.heads.head_kind import FitTask, HeadPlan
from onepass.heads.trained_head import Figures, TrainedHead
from onepass.params import NONE
from onepass.photos import AssignmentTable, views_of


def make_fit_task(
    plan: HeadPlan,
    rows: AssignmentTable,
    views: int,
    folder: Path,
    store: Store,
    layers_above: Callable[[], Any] | None,
    log: Callable[[Figures, Figures], None],
) -> FitTask:
    """What the chosen kind is given.

    Args:
        rows: of splits.csv.
        views: of each training image, each of which has features.
        folder: of the store.
        layers_above, log: see ``FitTask``.

    Raises:
        UserError: classes or features that do not fit the params.

    """
    plan.check_shape(store.shape)
    classes = rows.labels
    scale = 1 / 255 if store.dtype == "uint8" else 1.0
    empty = TrainedHead(classes, resolve_activation(plan.head.activation, classes), scale, plan.head.pooling)
    empty = empty._replace(unit_length=plan.scale == "l2")

    def dataset(split: str) -> Dataset:
        members = rows.are_in(split)
        hashes, count = HashList(rows.hashes.packed[members]), views if split == "train" else 1
        keys = (
            hashes if count == 1 else HashList(packed(view.key for hash_ in hashes for view in views_of(hash_, count)))
        )
        return make_dataset(folder, store, keys, rows.numbers(classes, members), count, plan.kind.whole)

    data, validation = dataset("train"), dataset("validation")
    return FitTask(plan.head, plan.train, empty, store.shape, data, validation, layers_above, log)


def unfrozen_layers(plan: HeadPlan, backbone: Backbone) -> Callable[[], Any] | None:
    """What makes the layers above the cut that are trained together with the head; None where there are none."""
    if plan.unfreeze == NONE:
        return None
    train_batch_norm = plan.train.batch_norm == "trained"
    return partial(backbone.source.layers_above, backbone, plan.unfreeze, train_batch_norm)


def resolve_activation(given: str, classes: list[str]) -> str:
    """``head.activation``, also where it is auto. UserError: a sigmoid with more than two classes."""
    if given == "sigmoid" and len(classes) != 2:
        raise UserError(
            f"head.activation: sigmoid given, which tells two classes apart; these are {len(classes)}: "
            f"{', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}; allowed: softmax, auto"
        )
    if given != "auto":
        return given
    return "sigmoid" if len(classes) == 2 else "softmax"
