"""Runs an experiment in a checkout of its own: a clone of the repository that shares git's objects and DVC's cache.

The workspace is neither read nor written, but for what it knows of earlier runs (dvc.lock) and its local settings of
DVC; git learns of the experiment when it is done. The clone stays, so that the next experiment finds its features
already linked there: what an experiment costs is what `dvc repro` costs. (A git worktree would share DVC's references
of the run that is going on, and two runs at a time would write over each other's.)
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
from uuid import uuid4

from filelock import FileLock, Timeout
from ruamel.yaml import YAML

from onepass.checks import committed_text
from onepass.core import UserError, write_atomically
from onepass.dvc_repo import cache_folder, dvc_files, experiments_of_head, has_remote
from onepass.trials.changes import Trial

CHECKOUTS = Path(".dvc/tmp/onepass/trials")
LOCKS = ("dvc.lock", "data/dvc.lock")  # what is known of earlier runs, committed or not
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
            return _run(trial, folder, options, quiet=jobs > 1)

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
                folder.with_suffix(".running").unlink()
                return
        except Timeout:
            continue


def _prepare(folder: Path, cache: Path) -> None:
    """Makes the checkout that of the last commit, with no experiments of its own."""
    if folder.with_suffix(".running").exists():  # its user died; what that one started may still be writing there
        dead = folder.with_name(f"{folder.name}.{uuid4().hex}")
        folder.rename(dead)
        shutil.rmtree(dead, ignore_errors=True)
    if not (folder / ".git").is_dir():
        _git("clone", "--quiet", "--shared", "--no-checkout", ".", str(folder))
    folder.with_suffix(".running").touch()
    for key in ("user.name", "user.email"):  # whoever runs it is its author, also where only this repository says who
        if who := _git("config", "--default", "", "--get", key):
            _git("config", key, who, folder=folder)
    for ref in _git("for-each-ref", "--format=%(refname)", "refs/exps", folder=folder).splitlines():
        _git("update-ref", "-d", ref, folder=folder)
    _git("checkout", "--quiet", "--force", "--detach", _git("rev-parse", "HEAD"), folder=folder)
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


def _run(trial: Trial, folder: Path, options: Sequence[str], quiet: bool) -> bool:
    """Whether it went well; then it has replaced an experiment of this name."""
    write_atomically(folder / "params.yaml", edited(committed_text(), trial.settings))
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "--name", trial.name, "--allow-missing", *options],
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
    if well:
        for ref in _git("for-each-ref", "--format=%(refname)", "refs/exps", folder=folder).splitlines():
            if ref.endswith(f"/{trial.name}"):
                _git("fetch", "--quiet", "--no-write-fetch-head", str(folder), f"+{ref}:{ref}")
    return well


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
