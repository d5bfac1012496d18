"""Runs an experiment in a checkout of its own: a repository that shares git's objects and DVC's cache.

The workspace is not written, and only read for what it knows of earlier runs (dvc.lock), its settings of DVC, and
photos and weights that neither git nor DVC keeps; git learns of the experiment when it is done. The files stay, so that
the next experiment finds its features already linked there: what an experiment costs is what `dvc repro` costs. (A git
worktree would share DVC's references of the run that is going on, and two at a time would write over each other's.)
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from ruamel.yaml import YAML

from onepass.core import UserError, write_atomically
from onepass.dvc_repo import dvc_files, experiments_of_head, has_remote, is_kept, write_settings
from onepass.params import read_params
from onepass.trials.changes import PATHS, Trial, apply_settings

CHECKOUTS = Path(".dvc/tmp/onepass/trials")
LOCKS = ("dvc.lock", "data/dvc.lock")  # what is known of earlier runs, committed or not
AUTHOR = ("user.name", "user.email")  # also where only this repository says who that is


def run_trials(trials: Sequence[Trial], again: bool, jobs: int = 1) -> list[Trial]:
    """Runs them, each as an experiment of DVC; those that failed.

    Args:
        again: replaces an experiment that has the name.
        jobs: how many run at the same time.

    Raises:
        UserError: a name is taken.

    """
    files = dvc_files()
    taken = experiments_of_head(files)
    if not again and (known := [trial.name for trial in trials if trial.name in taken]):
        raise UserError(
            f"{', '.join(known)}: there is an experiment of this name. Give another name, or --again to replace it."
        )
    head = _git("rev-parse", "HEAD")
    options = ["--pull"] if has_remote(files) else []

    def run(trial: Trial) -> bool:
        with checkout(files, head) as (folder, lock), linked(files, folder, trial):
            return _run(trial, folder, head, options, lock, quiet=jobs > 1)

    with ThreadPoolExecutor(max(jobs, 1)) as threads:
        done = list(threads.map(run, trials))
    return [trial for trial, well in zip(trials, done, strict=True) if not well]


@contextmanager
def checkout(files: Any, head: str) -> Iterator[tuple[Path, int]]:
    """A checkout of a commit that nobody else uses, and its lock, which is held while any process has it open."""
    CHECKOUTS.mkdir(parents=True, exist_ok=True)
    for number in count():
        folder = CHECKOUTS / str(number)
        with folder.with_suffix(".lock").open("a") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                continue
            _prepare(folder, files, head)
            yield folder, lock.fileno()
            folder.with_suffix(".running").unlink()
            return


def _prepare(folder: Path, files: Any, head: str) -> None:
    """Makes the files those of the commit, and git new; outputs stay."""
    running = folder.with_suffix(".running")
    if running.exists() and folder.exists():  # its user died; what that one started may still be writing there
        dead = folder.with_name(f"{folder.name}.{uuid4().hex}")
        folder.rename(dead)
        shutil.rmtree(dead, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    running.touch()
    shutil.rmtree(folder / ".git", ignore_errors=True)  # this repository may have moved, or have been fetched again
    _git("init", "--quiet", "--template=", str(folder))
    common = Path(_git("rev-parse", "--git-common-dir")).absolute()
    (folder / ".git/objects/info/alternates").write_text(f"{common}/objects\n")
    if (common / "shallow").is_file():
        shutil.copyfile(common / "shallow", folder / ".git/shallow")
    for key in AUTHOR:
        if who := _git("config", "--default", "", "--get", key):
            _git("config", key, who, folder=folder)
    _git("checkout", "--quiet", "--force", "--detach", head, folder=folder)
    _git("clean", "--quiet", "--force", "-d", folder=folder)  # not what git ignores
    for lock in LOCKS:
        if Path(lock).is_file():
            shutil.copyfile(lock, folder / lock)
    write_settings(files, folder)


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


def _run(trial: Trial, folder: Path, head: str, options: Sequence[str], lock: int, quiet: bool) -> bool:
    """Whether it went well; then it has replaced an experiment of this name."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "--name", trial.name, "--allow-missing", *options],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        pass_fds=[lock],  # where this process is killed and that one goes on, nobody else may use the folder
    )
    well = done.returncode == 0
    if quiet:
        print(f"{trial.name}: {'done' if well else 'failed'}\n{done.stdout}", flush=True)
    if well:
        ref = f"refs/exps/{head[:2]}/{head[2:]}/{trial.name}"
        _git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(folder), f"+{ref}:{ref}")
        if not quiet:  # DVC has just said that it has applied the results; that was in the checkout
            print(f"The workspace is as it was; `dvc exp apply {trial.name}` brings it all there.", flush=True)
    return well


def edited(text: bytes, settings: Mapping[str, Any]) -> bytes:
    """A params.yaml with other values; its comments stay."""
    yaml = YAML()
    yaml.width = 4096
    content = yaml.load(text.decode())
    apply_settings(content, settings)
    stream = StringIO()
    yaml.dump(content, stream)
    return stream.getvalue().encode()


def _git(*arguments: str, folder: Path = Path()) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
