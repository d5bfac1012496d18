"""Runs an experiment in a checkout of its own: a git worktree of the last commit that shares git's and DVC's stores.

The workspace is neither read nor written, but for what it knows of earlier runs (dvc.lock) and its local settings of
DVC. The checkout stays, so that the next experiment finds its features already linked there: what an experiment
costs is what `dvc repro` costs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from ruamel.yaml import YAML

from onepass.checks import committed_text
from onepass.core import UserError, write_atomically
from onepass.dvc_repo import cache_folder, dvc_files, experiments_of_head, has_remote
from onepass.trials.changes import Trial

CHECKOUTS = Path(".dvc/tmp/onepass/trials")
LOCKS = ("dvc.lock", "data/dvc.lock")  # what is known of earlier runs, committed or not
REF_RACE = "Failed to set 'refs/exps"  # what DVC says where another process writes a reference at the same time
LOCAL = Path(".dvc/config.local")  # credentials and the like, which git does not know


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
    cache = cache_folder(files)
    options = ["--pull"] if has_remote(files) else []

    def run(trial: Trial) -> bool:
        with checkout(cache) as folder:
            return _run(trial, folder, options, again and trial.name in taken, quiet=jobs > 1)

    with ThreadPoolExecutor(max(jobs, 1)) as threads:
        done = list(threads.map(run, trials))
    return [trial for trial, well in zip(trials, done, strict=True) if not well]


@contextmanager
def checkout(cache: Path) -> Iterator[Path]:
    """A checkout of the last commit that nobody else uses; the system frees one whose user died."""
    for number in range(1000):
        folder = CHECKOUTS / str(number)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{folder}.lock").acquire(timeout=0):
                _prepare(folder, cache)
                yield folder
                return
        except Timeout:
            continue


def _prepare(folder: Path, cache: Path) -> None:
    head = _git("rev-parse", "HEAD")
    if not (folder / ".git").is_file() or _fails("git", "-C", str(folder), "rev-parse", "HEAD"):
        shutil.rmtree(folder, ignore_errors=True)
        _git("worktree", "prune")
        _git("worktree", "add", "--quiet", "--detach", "--force", str(folder), head)
    _git("checkout", "--quiet", "--force", "--detach", head, folder=folder)
    _git("clean", "--quiet", "--force", "-d", folder=folder)  # not what git ignores: outputs stay
    for lock in LOCKS:
        if Path(lock).is_file():
            shutil.copyfile(lock, folder / lock)
    settings = ConfigParser(interpolation=None)
    settings.read(LOCAL, encoding="utf-8")
    # Links instead of copies: features of 100,000 photos have gigabytes.
    settings.read_dict({"cache": {"dir": str(cache), "type": "hardlink,symlink"}})
    stream = StringIO()
    settings.write(stream)
    write_atomically(folder / LOCAL, stream.getvalue().encode())


def _run(trial: Trial, folder: Path, options: Sequence[str], again: bool, quiet: bool) -> bool:
    write_atomically(folder / "params.yaml", edited(committed_text(), trial.settings))
    # An experiment that is to be replaced stays until the new one is there.
    name = f"{trial.name}-again" if again else trial.name
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "--name", name, "--allow-missing", *options],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    well = done.returncode == 0
    if quiet:
        print(f"{trial.name}: {'done' if well else 'failed'}\n{done.stdout}", flush=True)
    if not well and quiet and REF_RACE in done.stdout:  # two ended at once; what was computed is kept
        return _run(trial, folder, options, again, quiet)
    if well and again:
        _rename(name, trial.name)
    return well


def _rename(old: str, new: str) -> None:
    """Gives an experiment another's name. DVC's own command takes a second to start."""
    for ref in _git("for-each-ref", "--format=%(refname) %(objectname)", "refs/exps").splitlines():
        place, _, commit = ref.partition(" ")
        if place.endswith(f"/{old}"):
            _git("update-ref", f"{place.rpartition('/')[0]}/{new}", commit)
            _git("update-ref", "-d", place)


def edited(text: bytes, settings: Mapping[str, Any]) -> bytes:
    """A params.yaml with other values; its comments stay."""
    yaml = YAML()
    yaml.width = 4096
    content = yaml.load(text.decode())
    for name, value in settings.items():
        section, key = name.split(".")
        content.setdefault(section, {})[key] = value
    stream = StringIO()
    yaml.dump(content, stream)
    return stream.getvalue().encode()


def _git(*arguments: str, folder: Path = Path()) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0
