"""Experiments as DVC keeps them: what each answered for which images, and what it was made from.

Everything is read through DVC: from the workspace, the cache, or the team's remote.
"""

import csv
import hashlib
import io
import json
from typing import Any, NamedTuple

import numpy as np
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import resolve_rev
from numpy.typing import NDArray
from ruamel.yaml.error import YAMLError

from stages.shared.errors import UserError
from stages.shared.run_log import key_of, recall
from tools.lock import Lock

WORKSPACE = "workspace"  # the name of what lies in the working tree
PREDICTIONS = "metrics/predictions.csv"
METRICS = "metrics/metrics.json"
HEAD = ["data/head/head.json", "data/head/weights.npz"]
FEATURES = ["data/features/fingerprint.json", "data/prepared/hashes.txt"]
COLUMNS = ["hash", "file", "split", "label", "predicted"]  # with which predictions.csv begins


class NoResultsError(UserError):
    """evaluate has not run."""


class Experiment(NamedTuple):
    """One training run and its answers on the evaluated split."""

    names: list[str]  # all by which it was asked for
    recipe: str  # what decides its results, but the seeds
    params: dict[str, Any]  # of all stages, as they ran
    sources: dict[str, str | None]  # digests of the code and the data from outside
    seeds: list[int]  # of training and of the split
    answers: str  # digest of the predictions
    split: str  # that was evaluated
    chose_the_epoch: bool  # the evaluated split did
    labels: dict[str, str]  # of each evaluated image by hash, sorted
    right: NDArray[np.bool_]  # (images,), in that order
    log_loss: float
    trained_parameters: int | None
    seconds: float | None  # that train-head took on this machine, where it knows
    computed: int | None  # rows of features, likewise


class Experiments:
    """The experiments of the repository of the current directory."""

    def __init__(self) -> None:
        self._repo = Repo()
        try:
            listed = self._repo.experiments.ls()
        except DvcException:  # nothing is committed yet, or there is no git
            listed = {}
        self._of_head: dict[str, str] = dict(
            sorted(experiment for of_commit in listed.values() for experiment in of_commit)
        )

    @property
    def names(self) -> list[str]:
        """Those that `dvc exp list` names, which belong to the current commit."""
        return list(self._of_head)

    def read(self, name: str) -> Experiment:
        """The experiment, revision or workspace of this name.

        Raises:
            NoResultsError: evaluate has not run in it.
            UserError: there is no such revision, nobody has its results any more, or they are not readable.

        """
        # The revision's own configuration may be older than the team's remote.
        files = DVCFileSystem(rev=self._revision(name), config=self._repo.config)
        lock = _lock(files, name)
        if PREDICTIONS not in lock.made:
            raise NoResultsError(
                f"{name} has no results: evaluate has not run in it. `dvc exp run --name NAME` runs what is missing."
            )
        contents = [_content(files, path, lock.made, name) for path in (METRICS, PREDICTIONS)]
        try:
            metrics = json.loads(contents[0])
            split, chose, log_loss = (metrics[key] for key in ("split", "chose_the_epoch", "log_loss"))
            labels, right = parse_predictions(contents[1], split)
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise UserError(
                f"{METRICS} and {PREDICTIONS} of {name} are not as this version writes them ({error!r}). "
                "Run the experiment again."
            ) from error
        return Experiment(
            names=[name],
            recipe=lock.recipe,
            params=lock.params,
            sources=lock.sources,
            seeds=lock.seeds,
            answers=lock.made[PREDICTIONS],
            split=split,
            chose_the_epoch=chose,
            labels=labels,
            right=right,
            log_loss=log_loss,
            trained_parameters=_trained_parameters(files),
            seconds=_fact(files, "train-head", HEAD, "seconds"),
            computed=_fact(files, "extract-features", FEATURES, "computed"),
        )

    def _revision(self, name: str) -> str | None:
        if name == WORKSPACE:
            return None
        if name in self._of_head:
            return self._of_head[name]
        try:
            return str(resolve_rev(self._repo.scm, name))
        except (DvcException, ValueError) as error:  # ValueError: names that are not UTF-8
            raise UserError(
                f"{name!r} is neither an experiment nor a revision that git knows ({error}). "
                f"Experiments of this commit: {', '.join(self.names) or 'none'}. `dvc exp list --all-commits` shows "
                "those of other commits, `dvc exp pull origin NAME` fetches a colleague's."
            ) from error


def parse_predictions(content: bytes, split: str) -> tuple[dict[str, str], NDArray[np.bool_]]:
    """The label of each image of ``split`` by hash, sorted, and (images,) whether its prediction is right.

    Raises:
        ValueError, csv.Error: this is no predictions.csv, or it has no image of the split.

    """
    rows = csv.reader(io.StringIO(content.decode(errors="surrogateescape"), newline=""))
    header = next(rows, [])
    if header[: len(COLUMNS)] != COLUMNS:
        raise ValueError(f"columns {', '.join(header[: len(COLUMNS)])}; expected {', '.join(COLUMNS)}")
    evaluated = sorted((hash_, label, predicted) for hash_, _, where, label, predicted, *_ in rows if where == split)
    if not evaluated:
        raise ValueError(f"no {split} image")
    return (
        {hash_: label for hash_, label, _ in evaluated},
        np.array([label == predicted for _, label, predicted in evaluated]),
    )


def _lock(files: Any, name: str) -> Lock:
    try:
        return Lock(files.read_bytes("dvc.lock"))
    except FileNotFoundError:
        return Lock(b"")
    except (DvcException, YAMLError, AttributeError, TypeError, KeyError) as error:
        raise UserError(
            f"dvc.yaml and dvc.lock of {name} cannot be read: {error}. Mend them, or run `dvc repro`."
        ) from error


def _content(files: Any, path: str, made: dict[str, str], name: str) -> bytes:
    """An output, as dvc.lock says that it is."""
    try:
        content = bytes(files.read_bytes(path))
    except FileNotFoundError as error:
        raise UserError(
            f"{path} of {name} is neither on this machine nor on a remote that it knows. Who has run {name} can "
            f"publish it with `make publish-experiment NAME={name}`; or run it again."
        ) from error
    except Exception as error:  # each kind of remote has its own errors
        raise UserError(f"{path} of {name} could not be fetched: {error}. Check `dvc remote list`.") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != made[path]:
        raise UserError(f"{path} of {name} is not what its dvc.lock says: changed or damaged. Run `dvc repro`.")
    return content


def _optional(files: Any, path: str) -> bytes | None:
    """A file that a comparison can do without."""
    try:
        return bytes(files.read_bytes(path))
    except Exception:  # noqa: BLE001 - each kind of remote has its own errors
        return None


def _trained_parameters(files: Any) -> int | None:
    head = _optional(files, HEAD[0])
    count: int | None = json.loads(head).get("trained_parameters") if head else None
    return count


def _fact(files: Any, stage: str, paths: list[str], fact: str) -> Any:
    """What this machine remembers of the run that made the files; None where it does not."""
    contents = [content for path in paths if (content := _optional(files, path)) is not None]
    return (recall(stage, key_of(*contents)) or {}).get(fact) if len(contents) == len(paths) else None
