"""Experiments as DVC keeps them: what each answered for which images, and what it was made from.

Everything is read through DVC: from the workspace, the cache, or the team's remote.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.comparison.lock import Lock, read_lock, read_params_of
from onepass.core import UserError
from onepass.dvc_repo import dvc_files, experiments_of_head, files_at, resolve_revision
from onepass.evaluation import Answers, read_answers, read_metrics
from onepass.machine_facts import key_of, recall

WORKSPACE = "workspace"  # the name of what lies in the working tree
IMPLIED = [WORKSPACE, "HEAD"]  # names of whatever is there now, compared without being asked for
SPLITS = "data/prepared/splits.csv"
HEAD = ["data/head/head.json", "data/head/weights.npz"]
FEATURES = ["data/features/fingerprint.json", "data/prepared/wanted_views.txt"]


class Results(NamedTuple):
    """Where the answers of an experiment lie."""

    locks: list[str]  # that know how they were made
    predictions: str
    metrics: str
    inside: str  # the key of the scores in the metrics; empty: all of them


KINDS = [  # of which the first is taken that an experiment has
    Results(["dvc.lock"], "metrics/predictions.csv", "metrics/metrics.json", ""),
    Results(["dvc.lock", "data/probe/dvc.lock"], "data/probe/predictions.csv", "data/probe/metrics.json", "probe"),
]


class NoResultsError(UserError):
    """Neither evaluate nor probe has run."""


class Experiment(NamedTuple):
    """One training run and its answers on the evaluated split, or those of a cross-validation."""

    name: str
    recipe: str  # what decides its results, but the seeds
    params: dict[str, Any]  # of all stages, as they ran
    sources: dict[str, str | None]  # digests of the code and the data from outside
    seeds: list[int]  # of training and of the split
    answers: str  # digest of what was said of all images
    split: str  # that was evaluated, or CROSS_VALIDATION
    judged_by: str | None  # digest of splits.csv, where the lock knows it
    predictions: str | None  # digest of the file
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
        self._workspace = dvc_files()
        self._of_head = experiments_of_head(self._workspace)

    @property
    def names(self) -> list[str]:
        """Those that `dvc exp list` names, which belong to the current commit."""
        return list(self._of_head)

    def read(self, name: str) -> Experiment:
        """The experiment, revision or workspace of this name.

        Raises:
            NoResultsError: neither evaluate nor probe has run in it.
            UserError: there is no such revision, its results belong to other params, nobody has them any more, or they
                are not readable.

        """
        return _read(name, self._files(name))

    def looks(self, experiment: Experiment) -> int:
        """How many different predictions the images that judged an experiment have judged, in whatever exists here.

        Of experiments of this commit, the workspace and HEAD; what cannot be read counts as none.
        """
        found = {experiment.predictions}
        if experiment.judged_by is None:
            return 1
        for name in [*self.names, *IMPLIED]:
            try:
                made = read_lock(self._files(name), *KINDS[0].locks).made
            except UserError:
                continue
            if made.get(SPLITS) == experiment.judged_by and (predictions := made.get(KINDS[0].predictions)):
                found.add(predictions)
        return len(found)

    def _files(self, name: str) -> Any:
        if name == WORKSPACE:
            return self._workspace
        try:
            revision = self._of_head.get(name) or resolve_revision(self._workspace, name)
        except ValueError as error:  # also of names that are not UTF-8
            raise UserError(
                f"{name!r} is neither an experiment nor a revision that git knows ({error}). "
                f"Experiments of this commit: {', '.join(self.names) or 'none'}. `dvc exp list --all-commits` shows "
                "those of other commits, `dvc exp pull origin NAME` fetches a colleague's."
            ) from error
        return files_at(self._workspace, revision)


def _read(name: str, files: Any) -> Experiment:
    results, lock = _current_results(name, files)
    content = _content(files, results.metrics, lock, name)
    metrics = read_metrics(content, f"{results.metrics} of {name}", results.inside)
    answers = _answers(files, results.predictions, metrics.split, lock, name)
    return Experiment(
        name=name,
        recipe=lock.recipe,
        params=lock.params,
        sources=lock.sources,
        seeds=lock.seeds,
        answers=answers.digest,
        split=metrics.split,
        judged_by=lock.made.get(SPLITS),
        predictions=lock.made[results.predictions],
        chose_the_epoch=metrics.chose_the_epoch,
        labels=answers.labels,
        right=answers.right,
        log_loss=metrics.log_loss,
        trained_parameters=_trained_parameters(files),
        seconds=_fact(files, "train-head", HEAD, "seconds"),
        computed=_fact(files, "extract-features", FEATURES, "computed"),
    )


def _current_results(name: str, files: Any) -> tuple[Results, Lock]:
    """The results, if they belong to the params beside them, and what is known of how they were made."""
    for results in KINDS:
        try:
            lock, params = read_lock(files, *results.locks), read_params_of(files)
        except UserError as error:
            raise UserError(f"{name}: {error}") from error
        if results.predictions in lock.made:
            if reason := lock.why_stale(results.predictions, params):
                where = "" if name == WORKSPACE else f" in a checkout of {name}, then committed,"
                raise UserError(f"{name}: {reason}; `dvc repro`{where} brings them up to date.")
            return results, lock
    raise NoResultsError(
        f"{name} has no results: evaluate has not run in it. `dvc exp run --name NAME` runs what is missing."
    )


def _content(files: Any, path: str, lock: Lock, name: str) -> bytes:
    """A small output, as dvc.lock says that it is."""
    with _fetched(path, name):
        content = bytes(files.read_bytes(path))
    _check(hashlib.md5(content, usedforsecurity=False).hexdigest(), path, lock, name)
    return content


def _answers(files: Any, path: str, split: str, lock: Lock, name: str) -> Answers:
    """The answers in the predictions, which can have gigabytes, as dvc.lock says that they are."""
    digest = hashlib.md5(usedforsecurity=False)
    answers, problem = None, None
    with _fetched(path, name), files.open(path, "rb") as file:
        try:
            answers = read_answers(file, split, digest)
        except (ValueError, csv.Error) as error:
            problem = error
    _check(digest.hexdigest(), path, lock, name)
    if answers is None:
        raise UserError(
            f"{path} of {name} is not as this version writes it ({problem!r}). Run the experiment again."
        ) from problem
    return answers


@contextmanager
def _fetched(path: str, name: str) -> Iterator[None]:
    """UserError where an output cannot be had."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(
            f"{path} of {name} is neither on this machine nor on a remote that it knows. Who has run {name} can "
            f"publish it with `make publish-experiment NAME={name}`; or run it again."
        ) from error
    except Exception as error:  # each kind of remote has its own errors
        raise UserError(f"{path} of {name} could not be fetched: {error}. Check `dvc remote list`.") from error


def _check(digest: str, path: str, lock: Lock, name: str) -> None:
    if digest != lock.made[path]:
        raise UserError(f"{path} of {name} is not what its dvc.lock says: changed or damaged. Run `dvc repro`.")


def _optional(files: Any, path: str) -> bytes | None:
    """A file that a comparison can do without."""
    try:
        return bytes(files.read_bytes(path))
    except Exception:  # noqa: BLE001 - each kind of remote has its own errors
        return None


def _trained_parameters(files: Any) -> int | None:
    head = _optional(files, HEAD[0])
    try:
        count = json.loads(head)["trained_parameters"] if head else None
    except (ValueError, TypeError, KeyError, RecursionError):  # which only costs a column
        return None
    return count if isinstance(count, int) else None


def _fact(files: Any, stage: str, paths: list[str], fact: str) -> Any:
    """What this machine remembers of the run that made the files; None where it does not."""
    contents = [content for path in paths if (content := _optional(files, path)) is not None]
    return (recall(stage, key_of(*contents)) or {}).get(fact) if len(contents) == len(paths) else None
