"""train-head: the small network on top of the bottleneck features.

Reads   splits.csv (which images train, which choose the epoch), data/features/ and backbone.weights.
Writes  data/head/: head.json and weights.npz (see stages/shared/head/head.py),
        data/model.keras: backbone and head in one (see stages/shared/model/whole_model.py),
        metrics/training/: the curves, by dvclive.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from dvclive.live import Live

from stages.shared.backbone.weights_file import resolved_side
from stages.shared.errors import UserError
from stages.shared.head.head import DESCRIPTION_FILE, WEIGHTS_FILE, Figures, Head, write_head
from stages.shared.head.labelled import Labelled
from stages.shared.head.streamed import load_features, through
from stages.shared.params import NOTHING, Params, load_params
from stages.shared.photos.tables import Assignment, read_rows
from stages.shared.photos.views import views_of
from stages.shared.run_log import key_of_files, record
from stages.shared.store.features import open_store


def main(splits: Path, features: Path, out: Path, model: Path, curves: Path) -> None:
    start = time.perf_counter()
    params = load_params()
    rows = read_rows(splits, Assignment)
    classes = sorted({row.label for row in rows})
    activation = resolved_activation(params.head.activation, classes)
    store = open_store(features)
    if params.head.pooling != "none" and len(store.shape) != 3:
        raise UserError(
            f"head.pooling: {params.head.pooling} given for features of the shape {tuple(store.shape)}, which have no "
            "height and width to pool over; allowed: none."
        )

    def labelled(split: str) -> Labelled:
        views = params.backbone.views if split == "train" else 1
        members = [row for row in rows if row.split == split]
        keys = [view.key for row in members for view in views_of(row.hash, views)]
        labels = np.repeat([classes.index(row.label) for row in members], views)
        found = load_features(features, store, keys, whole=params.head.kind == "logistic")
        return Labelled(found, labels, np.repeat(np.arange(len(members)), views))

    head = Head(classes, activation, 1 / 255 if store.dtype == "uint8" else 1.0, params.head.pooling)
    data, validation = labelled("train"), labelled("validation")
    with Live(str(curves), save_dvc_exp=False, dvcyaml=None, report=None) as live:

        def log(trained: Figures, judged: Figures) -> None:
            for split, figures in (("train", trained), ("validation", judged)):
                live.log_metric(f"{split}/loss", figures.loss)
                live.log_metric(f"{split}/accuracy", figures.accuracy)
            live.next_step()

        if params.head.kind == "logistic":
            head = by_cross_validation(params, head, data)
            log(head.judge(data), head.judge(validation))
        else:
            head = by_steps(params, head, store.shape, data, validation, log)
    write_head(out, head)
    from stages.shared.model.model_file import write_model  # noqa: PLC0415 - imports TensorFlow
    from stages.shared.model.whole_model import whole_model  # noqa: PLC0415

    write_model(model, whole_model(params.backbone, head), head.classes)
    key = key_of_files(out / DESCRIPTION_FILE, out / WEIGHTS_FILE)
    record("train-head", key, {"seconds": time.perf_counter() - start})


def by_cross_validation(params: Params, head: Head, data: Labelled) -> Head:
    """The head as a logistic regression; validation images have no say in it."""
    from stages.shared.head.logistic import fit_logistic  # noqa: PLC0415 - imports scikit-learn

    fitted = fit_logistic(data._replace(features=head.inputs(data.features)), head.logits, params.train)
    print(f"cross-validation chose C = {fitted.strength:g}")
    return head._replace(weights=fitted.weights, trained_parameters=sum(array.size for array in fitted.weights))


def by_steps(params: Params, head: Head, shape: list[int], data: Labelled, validation: Labelled, log: Any) -> Head:
    """The head of the best epoch."""
    # These import TensorFlow: only now, when all that can go wrong early has not.
    from stages.shared.head.convolutions import convolutions, describe  # noqa: PLC0415
    from stages.shared.head.tail import load_tail  # noqa: PLC0415
    from stages.shared.head.training import fit, set_seed  # noqa: PLC0415

    set_seed(params.train)
    network = None
    if params.head.kind == "cnn":
        network = convolutions(params.head, shape, head.feature_scale)
    if params.train.unfreeze != NOTHING:
        network = load_tail(params.backbone, params.train, resolved_side(params.backbone))
    if network is None:
        data, validation = (part._replace(features=through(part.features, head.inputs)) for part in (data, validation))
    best = fit(params.head, params.train, data, validation, head.logits, log, network)
    print(f"best of {best.epochs} epochs: {best.best_epoch}")
    if network is not None:
        head = head._replace(feature_scale=1.0, network=describe(network))
    return head._replace(**best._asdict())


def resolved_activation(given: str, classes: list[str]) -> str:
    """``head.activation``, also where it is auto. UserError: a sigmoid with more than two classes."""
    if given == "sigmoid" and len(classes) != 2:
        raise UserError(
            f"head.activation: sigmoid given, which tells two classes apart; these are {len(classes)}: "
            f"{', '.join(classes[:10])}. Allowed: softmax, auto."
        )
    if given != "auto":
        return given
    return "sigmoid" if len(classes) == 2 else "softmax"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
