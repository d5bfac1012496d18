"""train-head: the small network on top of the bottleneck features.

Reads   splits.csv (which images train, which choose the epoch) and data/features/.
Writes  data/head/: head.json and weights.npz (see stages/shared/head.py),
        metrics/training/: the curves, by dvclive.
"""

import sys
from pathlib import Path

import numpy as np
from dvclive.live import Live

from stages.shared.errors import UserError
from stages.shared.features import open_store, read_features
from stages.shared.head import Head, Labelled, flat, write_head
from stages.shared.params import load_params
from stages.shared.tables import Assignment, read_rows

FIGURES = {  # Keras's names and ours
    "loss": "train/loss",
    "accuracy": "train/accuracy",
    "val_loss": "validation/loss",
    "val_accuracy": "validation/accuracy",
}


def main(splits: Path, features: Path, out: Path, curves: Path) -> None:
    params = load_params()
    rows = read_rows(splits, Assignment)
    classes = sorted({row.label for row in rows})
    activation = resolved_activation(params.head.activation, classes)
    store = open_store(features)
    scale = 1 / 255 if store.dtype == "uint8" else 1.0

    def labelled(split: str) -> Labelled:
        members = [row for row in rows if row.split == split]
        labels = np.array([classes.index(row.label) for row in members])
        return Labelled(flat(read_features(features, store, [row.hash for row in members]), scale), labels)

    data, validation = labelled("train"), labelled("validation")

    from stages.shared.training import fit  # noqa: PLC0415 - imports TensorFlow, so after all that can go wrong

    with Live(str(curves), save_dvc_exp=False, dvcyaml=None, report=None) as live:

        def log(_epoch: int, figures: dict[str, float]) -> None:
            for name, value in figures.items():
                live.log_metric(FIGURES[name], value)
            live.next_step()

        best = fit(
            params.head,
            params.train,
            data,
            validation,
            logits=1 if activation == "sigmoid" else len(classes),
            log=log,
        )
    write_head(out, Head(classes, activation, scale, best.best_epoch, best.epochs, best.weights))
    print(f"best of {best.epochs} epochs: {best.best_epoch}")


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
