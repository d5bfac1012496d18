"""Puts trials into DVC's own queue: `dvc queue start` runs them, as many at a time as it is told to."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onepass.checks import committed_params
from onepass.core import UserError, read_yaml
from onepass.trials.changes import Trial, applied

MADE_BY_RUNS = frozenset({"params.yaml", "dvc.lock", "data/dvc.lock"})  # what a run, or `dvc exp apply`, leaves changed


def queue_trials(trials: Sequence[Trial]) -> None:
    """Queues them. DVC takes the workspace and what differs: params are told in full, all else has to be committed.

    Raises:
        UserError: the workspace has other changes, or DVC refuses.

    """
    if changed := sorted(changed_files() - MADE_BY_RUNS):
        raise UserError(
            f"{', '.join(changed)}: changed and not committed. DVC queues the workspace as it is, but an experiment of "
            "`try` starts from the last commit: commit first, or leave out --queue."
        )
    here, committed = _content(), committed_params()
    for trial in trials:
        differences = [part for text in overrides(here, applied(committed, trial.settings)) for part in ("-S", text)]
        command = [sys.executable, "-m", "dvc", "exp", "run", "--queue", "--name", trial.name, *differences]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"{trial.name} was not queued: {done.stderr.strip()}")
        print(f"{trial.name}: queued; `dvc queue start` runs it", flush=True)


def changed_files() -> set[str]:
    """The files that git knows and that differ from the last commit, as git writes their names."""
    status = ["git", "status", "--porcelain", "--untracked-files=no"]
    lines = subprocess.run(status, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line[3:] for line in lines}


def overrides(here: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """What makes the content of one params.yaml that of another, in the words of DVC's -S (Hydra's grammar)."""
    for name in sorted(here.keys() | wanted.keys()):
        before, after = here.get(name) or {}, wanted.get(name) or {}
        yield from (f"~{name}.{key}" for key in before if key not in after)
        yield from (f"++{name}.{key}={_quoted(value)}" for key, value in after.items() if before.get(key, ...) != value)


def _quoted(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_quoted, value))}]"
    if isinstance(value, str):  # a backslash means itself, but before a quote
        escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + (r"\'" if found[2] else ""), value)
        return f"'{escaped}'"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _content() -> dict[str, Any]:
    try:
        content = read_yaml(Path("params.yaml").read_bytes(), "params.yaml")
    except OSError as error:
        raise UserError(f"params.yaml cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}
