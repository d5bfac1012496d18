"""Whether DVC can begin: it reads its own files and walks the folder of photos before any code of this project runs.

What DVC does at each of them, with the numbers of its issues, is in docs/reliability.md.
"""

import configparser
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from onepass.checks import problems_of
from onepass.core import UserError, listed, load_yaml, still_runs, yaml_problem
from onepass.dvc_repo import holding_list_of_locks, machine_folder_of_here
from onepass.params import ParamsError, read_params
from onepass.photos import odd_entries

LOCK = "dvc.lock"
TRIAL = 1  # seconds; trying out a link takes less than a thousandth of one
MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
LOCK_CAN_GO = " Where none was committed, delete it: what is in the cache is not computed again."


def check_surroundings(roots: Iterable[str]) -> None:
    """Refuses what DVC would hang at, or fail on without a word, and mends the locks that a kill has left.

    In a command that DVC runs all this is behind, and nothing is looked at.

    Args:
        roots: each ``data.root`` that is about to be used.

    Raises:
        UserError: names the file and what is wrong with it.

    """
    if "DVC_STAGE" in os.environ:
        return
    if problems := problems_of(read_params()):  # which DVC reads, whatever is tried
        raise ParamsError(problems)
    runs = machine_folder_of_here().parent / "runs"
    for done in (mend_lock_files(Path()), mend_locks(Path()), mend_run_cache(runs)):
        if done:
            print(done, flush=True)
    for path in _files_of_dvc(Path()):
        _check_yaml(path)
    for root in roots:
        if odd := [f"{name}: {kind}" for name, kind in odd_entries(Path(root))]:
            raise UserError(
                f"data.root: {root} holds what is no photo and no folder, and DVC would hang at it or fail without a "
                f"word:\n{listed(odd)}\nMove it elsewhere; a CSV with the columns file,label names just the photos."
            )


def _files_of_dvc(root: Path) -> Iterator[Path]:
    """What DVC reads of this project whatever is run: its stages, what they made last, and the files added to it."""
    for name in ("dvc.yaml", "dvc.lock", "data/**/dvc.yaml", "data/**/dvc.lock", "*.dvc", "data/*.dvc"):
        yield from (path for path in sorted(root.glob(name)) if path.is_file())


def _check_yaml(path: Path) -> None:
    try:
        problem = "" if isinstance(load_yaml(path.read_bytes()), dict) else "no sections in it"
    except yaml.YAMLError as error:
        problem = yaml_problem(error)
    if problem:
        raise UserError(
            f"{path} is damaged, and no command of DVC can read it: {problem}. `git checkout {path}` brings back what "
            "was committed; where git has marked a conflict of two people in it, keep either side and run `dvc repro`."
            f"{LOCK_CAN_GO if path.name == LOCK else ''}"
        )


def mend_lock_files(root: Path) -> str:
    """Takes away a dvc.lock that is empty: DVC writes it in place, and a kill can come between emptying and writing.

    What stages have made is in the list of earlier runs, so that the next `dvc repro` computes none of it again.

    Args:
        root: of the repository.

    Returns:
        What was done, in a sentence; empty where nothing was the matter.

    """
    empty = [path for path in (root / LOCK, root / "data" / LOCK) if path.is_file() and not path.stat().st_size]
    for path in empty:
        path.unlink()
    return f"{' and '.join(map(str, empty))} was empty, as a kill leaves it, and is gone." if empty else ""


def mend_locks(root: Path) -> str:
    """Takes away what a kill, a full disk or a restart has left in DVC's list of locks, so that commands run again.

    DVC writes .dvc/tmp/rwlock in place, so that it can be empty or cut off, and then every command fails; and it takes
    any process with a number that is in the list for the one that it was given to. (dvc/rwlock.py)

    Args:
        root: of the repository.

    Returns:
        What was done, in a sentence; empty where nothing was the matter.

    Raises:
        UserError: another DVC is at the list and does not let go of it.

    """
    path = root / ".dvc/tmp/rwlock"
    if not _left_behind(path):
        return ""
    with holding_list_of_locks(path):
        if why := _left_behind(path):
            path.unlink()
            return f"{path} {why}, and is gone: DVC makes a new one."
    return ""


def mend_run_cache(runs: Path) -> str:
    """Takes away what a kill, or a loss of power, has left unfinished in DVC's list of earlier runs.

    DVC takes each file there for a run, and each folder for one that holds a run, and fails in every later command at
    one that is empty. (dvc/stage/cache.py)

    Args:
        runs: of DVC's cache.

    Returns:
        What was done, in a sentence; empty where nothing was the matter.

    """
    unfinished = 0
    for folder in sorted(runs.glob("*/*")) if runs.is_dir() else []:
        files = list(folder.iterdir())
        broken = [file for file in files if file.name.startswith(".") or not file.stat().st_size]
        for file in broken:
            file.unlink(missing_ok=True)
        if len(broken) == len(files):
            folder.rmdir()
            unfinished += 1
        unfinished += len(broken)
    return f"{unfinished} unfinished entries in {runs} are gone." if unfinished else ""


def mend_remotes(root: Path) -> str:
    """Takes away what a kill has left empty in remotes that are folders, so that it can be pushed again.

    DVC tries out a kind of link under the final name, and takes whatever has that name for pushed from then on.
    (dvc_objects/fs/generic.py) A push that runs has such files, too, but only for a moment: they are left alone.

    Args:
        root: of the repository.

    Returns:
        What was done, in a sentence; empty where nothing was the matter.

    """
    if "DVC_STAGE" in os.environ:  # a run needs nothing that was pushed
        return ""
    empty = _empty_objects(root)
    if empty:
        time.sleep(TRIAL)
        empty &= _empty_objects(root)
    for path, _ in empty:
        Path(path).unlink(missing_ok=True)
    return f"{len(empty)} files that a push had left empty in the remote are gone; push again." if empty else ""


def _empty_objects(root: Path) -> set[tuple[str, int]]:
    """Path and number (inode) of each file of a remote that is a folder, that should hold something."""
    return {
        (entry.path, entry.inode())
        for remote in _folders_of_remotes(root / ".dvc")
        for folder in sorted((remote / "files/md5").glob("??"))
        for entry in os.scandir(folder)
        if not entry.stat().st_size and f"{folder.name}{entry.name}" != MD5_OF_NOTHING
    }


def _folders_of_remotes(dvc: Path) -> Iterator[Path]:
    """The remotes that are folders of this machine, from DVC's configuration of this repository."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    with suppress(configparser.Error, UnicodeDecodeError):  # DVC itself says what is wrong with it
        config.read([dvc / "config", dvc / "config.local"], encoding="utf-8")
    for section in config.sections():
        url = config.get(section, "url", fallback="")
        if url and "://" not in url:
            yield dvc / url


def _left_behind(path: Path) -> str:
    """What is wrong with the list of locks; empty if nothing is."""
    try:
        content = json.loads(path.read_bytes())
        numbers = [held["pid"] for held in _locks(content)]
        written = path.stat().st_mtime
    except FileNotFoundError:
        return ""
    except (ValueError, TypeError, KeyError, AttributeError):
        return "was damaged, as a kill or a full disk leaves it"
    if numbers and not any(still_runs(number, written) for number in numbers):
        return "named only processes that have ended"
    return ""


def _locks(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from content.get("write", {}).values()
    for held in content.get("read", {}).values():
        yield from held
