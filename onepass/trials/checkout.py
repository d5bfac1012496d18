"""Runs an experiment in a checkout of its own: a repository that shares git's objects and DVC's cache.

The workspace is not written, and only read for what it knows of earlier runs (dvc.lock), its settings of DVC, and
photos and weights that neither git nor DVC keeps; git learns of the experiment when it is done. The files stay, so that
the next experiment finds its features already linked there, and so does the DVC that runs there while there are
experiments to come: each costs what its stages compute, and a second of DVC. (A git worktree would share DVC's
references of the run that is going on, and two at a time would write over each other's.)
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from io import StringIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from threading import local
from typing import Any, NamedTuple
from uuid import uuid4

import yaml
from ruamel.yaml import YAML

from onepass.core import UserError, load_yaml, write_atomically
from onepass.dvc_process import DvcProcess
from onepass.dvc_repo import dvc_files, experiments_of_head, has_remote, is_kept, stages_for, write_settings
from onepass.params import read_params
from onepass.trials.changes import PATHS, Trial, apply_settings

CHECKOUTS = Path(".dvc/tmp/onepass/trials")
LOCKS = ("dvc.lock", "data/dvc.lock")  # what is known of earlier runs, committed or not
AUTHOR = ("user.name", "user.email")  # also where only this repository says who that is


class Finished(NamedTuple):
    """A trial that has ended."""

    trial: Trial
    well: bool
    output: str  # of DVC and the stages; empty where it was shown as it came


def refuse_taken_names(trials: Sequence[Trial]) -> None:
    """UserError: there is an experiment of this name."""
    taken = experiments_of_head(dvc_files())
    if known := [trial.name for trial in trials if trial.name in taken]:
        raise UserError(
            f"{', '.join(known)}: there is an experiment of this name. Give another name, or --again to replace it."
        )


def usual_jobs(trials: Sequence[Trial]) -> int:
    """How many are best run at the same time: heads train on one core, while a backbone takes all of them."""
    of_heads = {key: None for trial in trials for key in trial.settings if key.split(".")[0] in ("head", "train")}
    shared = [{key: value for key, value in trial.settings.items() if key not in of_heads} for trial in trials]
    return min(os.cpu_count() or 1, len(trials)) if all(one == shared[0] for one in shared) else 1


def run_trials(
    trials: Sequence[Trial], jobs: int = 1, target: str | None = None, quiet: bool = False
) -> Iterator[Finished]:
    """Runs them, each as an experiment of DVC that replaces one of its name, and gives them as they end.

    Args:
        jobs: how many run at the same time; the output of each of several is kept until it has ended.
        target: the dvc.yaml whose stages are run, with all that they need; the results of others are left out.
        quiet: keep the output also of one; bars, and what goes wrong in DVC, are shown in a terminal.

    """
    files = dvc_files()
    head = _git("rev-parse", "HEAD")
    wanted = stages_for(files, target) if target else None
    options = [*(["--pull"] if has_remote(files) else []), *([target] if target else [])]
    of_thread = local()

    def run(trial: Trial) -> Finished:
        if not hasattr(of_thread, "checkout"):
            of_thread.checkout = Checkout(files, head, wanted, kept=quiet or jobs > 1)
            checkouts.enter_context(of_thread.checkout)
        done: Finished = of_thread.checkout.run(trial, options)
        if not done.well:  # whatever it has left there is not what the next one starts from
            of_thread.checkout.close()
            del of_thread.checkout
        return done

    with ExitStack() as checkouts, ThreadPoolExecutor(max(jobs, 1)) as threads:
        try:
            for done in as_completed([threads.submit(run, trial) for trial in trials]):
                yield done.result()
        finally:  # also of a person who has seen enough
            threads.shutdown(cancel_futures=True)


class Checkout(ExitStack):
    """A checkout of a commit that nobody else uses, and DVC in it; to be used as a context."""

    def __init__(self, files: Any, head: str, wanted: Collection[str] | None, kept: bool) -> None:
        """Makes it.

        Args:
            files: of the workspace.
            head: the commit.
            wanted: the stages that are run; None: all of them.
            kept: keep what DVC and the stages say, for ``Finished``.

        """
        super().__init__()
        self._files, self._head, self._wanted = files, head, wanted
        self._folder, lock = self.enter_context(locked_folder())
        _make_repository(self._folder)
        self._reset()
        write_settings(files, self._folder)
        self._said = self.enter_context(TemporaryFile("a+b"))  # noqa: SIM115 - is a context
        stdout = self._said.fileno() if kept else None
        stderr = None if kept and sys.stderr.isatty() else subprocess.STDOUT
        self._dvc = self.enter_context(DvcProcess(self._folder, lock, stdout, stderr))
        self._dvc.run("checkout", "--quiet", "--allow-missing")

    def run(self, trial: Trial, options: Sequence[str]) -> Finished:
        """Runs what the params of a trial have changed, and makes it an experiment if that went well."""
        self._reset()
        start = self._said.seek(0, os.SEEK_END)
        with linked(self._files, self._folder, trial):
            well = self._dvc.run("repro", "--allow-missing", *options)
        if well:
            _keep(trial, self._folder, self._head)
        self._said.seek(start)
        return Finished(trial, well, self._said.read().decode(errors="replace"))

    def _reset(self) -> None:
        """Makes the files those of the commit; outputs stay, and DVC knows which of them are others'."""
        _git("checkout", "--quiet", "--force", "--detach", self._head, folder=self._folder)
        _git("clean", "--quiet", "--force", "-d", folder=self._folder)  # not what git ignores
        for lock in LOCKS:
            if Path(lock).is_file():
                shutil.copyfile(lock, self._folder / lock)
        if self._wanted is not None:
            _forget_others(self._folder, self._wanted)


@contextmanager
def locked_folder() -> Iterator[tuple[Path, int]]:
    """A folder that nobody else uses, and its lock, which is held while any process has it open."""
    CHECKOUTS.mkdir(parents=True, exist_ok=True)
    for number in count():
        folder = CHECKOUTS / str(number)
        with folder.with_suffix(".lock").open("a") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                continue
            running = folder.with_suffix(".running")
            if running.exists() and folder.exists():  # its user died; what that one started may still be writing there
                dead = folder.with_name(f"{folder.name}.{uuid4().hex}")
                folder.rename(dead)
                shutil.rmtree(dead, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            running.touch()
            yield folder, lock.fileno()
            running.unlink()
            return


def _make_repository(folder: Path) -> None:
    """Makes git new there, with the objects of this repository, which may have moved, or have been fetched again."""
    shutil.rmtree(folder / ".git", ignore_errors=True)
    _git("init", "--quiet", "--template=", str(folder))
    common = Path(_git("rev-parse", "--git-common-dir")).absolute()
    (folder / ".git/objects/info/alternates").write_text(f"{common}/objects\n")
    if (common / "shallow").is_file():
        shutil.copyfile(common / "shallow", folder / ".git/shallow")
    for key in AUTHOR:
        if who := _git("config", "--default", "", "--get", key):
            _git("config", key, who, folder=folder)


@contextmanager
def linked(files: Any, folder: Path, trial: Trial) -> Iterator[None]:
    """The params of a trial, and links to the photos and weights that they name and neither git nor DVC keeps."""
    params = folder / "params.yaml"
    write_atomically(params, edited(params.read_bytes(), trial.settings))
    content = read_params(params)
    with ExitStack() as links:
        for key in PATHS:
            path = Path(content.value(*key.split(".")))
            if path.is_absolute() or not path.exists() or is_kept(files, path):
                continue
            for part in (*reversed(path.parents), path):
                if not (folder / part).exists():
                    (folder / part).symlink_to(part.absolute())
                    links.callback((folder / part).unlink, missing_ok=True)
                    break
        yield


def _forget_others(folder: Path, wanted: Collection[str]) -> None:
    """Takes away what stages made that are not going to run: an experiment must not show results of another one."""
    lock = folder / LOCKS[0]
    content = load_yaml(lock.read_bytes()) if lock.is_file() else {}
    for name in set(content.get("stages", {})) - set(wanted):
        for out in content["stages"].pop(name).get("outs", []):
            path = folder / out["path"]
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if content:
        write_atomically(lock, yaml.safe_dump(content, sort_keys=False).encode())


def _keep(trial: Trial, folder: Path, head: str) -> None:
    """Makes an experiment of DVC, which replaces one of this name: a commit on top of the one that it started from.

    `dvc exp run` would do the same, and take two seconds more.
    """
    _git("add", "--all", folder=folder)
    who = [f"{key}={_git('config', '--default', 'onepass', '--get', key)}" for key in AUTHOR]
    options = [part for setting in (*who, "commit.gpgsign=false", "core.hooksPath=") for part in ("-c", setting)]
    _git(*options, "commit", "--quiet", "--allow-empty", "--message", f"onepass try {trial.name}", folder=folder)
    ref = f"refs/exps/{head[:2]}/{head[2:]}/{trial.name}"
    _git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(folder), f"+HEAD:{ref}")


def edited(text: bytes, settings: Mapping[str, Any]) -> bytes:
    """A params.yaml with other values; its comments stay."""
    with_comments = YAML()
    with_comments.width = 4096
    content = with_comments.load(text.decode())
    apply_settings(content, settings)
    stream = StringIO()
    with_comments.dump(content, stream)
    return stream.getvalue().encode()


def _git(*arguments: str, folder: Path = Path()) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
