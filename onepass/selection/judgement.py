"""The end of a search: the best candidate as one run of the whole pipeline, which is judged by photos without a say."""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onepass.comparison import Experiment, Experiments, compared, comparison_page, ranked
from onepass.core import UserError, write_atomically
from onepass.evaluation import CROSS_VALIDATION
from onepass.selection.search import Tried, known_results, last_lines, results_of
from onepass.trials import MADE_BY_RUNS, changed_files, run_trials

DEFAULT_NAME = "best"
MODEL = "data/model.keras"
COMPARISON = Path("metrics/comparison.html")


class Judged(NamedTuple):
    """How good the choice is."""

    experiment: Experiment
    sentence: str
    looks_before: bool  # whether another choice was judged by the same photos


def name_for(given: str | None, root: str) -> str:
    """The name of the experiment with the result: one that is not about other photos.

    Raises:
        UserError: the name that was given is.

    """
    names = [given] if given else [DEFAULT_NAME, f"{DEFAULT_NAME}-{re.sub(r'[^a-zA-Z0-9_]+', '-', Path(root).stem)}"]
    for name in names:
        found = results_of(name)
        theirs = found.params["data.root"] if found else root
        if theirs == root:
            return name
    raise UserError(f"{name} is an experiment with the photos of {theirs}. Give another --name.")


def judge(name: str, base: dict[str, Any], best: Tried) -> Judged:
    """Runs the best candidate as the experiment ``name``; nothing, where that has been done.

    Raises:
        UserError: the run failed.

    """
    trial = best.candidate.trial(name, base)
    found = known_results(trial)
    looked = False
    if found is None or found.split == CROSS_VALIDATION:
        before = results_of(name)
        looked = before is not None and before.split != CROSS_VALIDATION
        (done,) = run_trials([trial], quiet=True)
        if not done.well:
            raise UserError(f"{name} failed:\n{last_lines(done)}")
        found = Experiments().read(name)
    (group,) = ranked([found])
    low, high = group.interval
    optimistic = "; these photos chose the epoch too, so this is somewhat optimistic" if found.chose_the_epoch else ""
    return Judged(
        found,
        f"accuracy {group.accuracy:.4f} (95 % interval {low:.4f} to {high:.4f}) on {len(found.labels)} {found.split} "
        f"images, which had no say in the choice{optimistic}",
        looked,
    )


def write_comparison(experiments: Sequence[Experiment]) -> None:
    """A page of all that was tried, and of how the choice was judged."""
    command = shlex.join(["python", "-m", "onepass", "compare", *(experiment.name for experiment in experiments)])
    write_atomically(COMPARISON, comparison_page(compared(ranked(experiments), None), command))


def bring_here(name: str) -> str:
    """Applies an experiment to the workspace, where that loses nothing of the user's; says what was done, or how to."""
    changed = changed_files()
    if changed - MADE_BY_RUNS or ("params.yaml" in changed and not _params_are_of("*")):
        return f"The workspace has changes of yours and stays as it is; `dvc exp apply {name}` brings the result here."
    command = [sys.executable, "-m", "dvc", "exp", "apply", name]
    # DVC's exit code also counts outputs that nobody has made, such as the digits where they are not in use.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not _params_are_of(name) or not Path(MODEL).exists():
        return f"The result could not be brought here: {done.stderr.strip()}"
    return f"The model is {MODEL}, the report metrics/report.html; params.yaml has the params."


def _params_are_of(name: str) -> bool:
    """Whether the workspace's params.yaml is that of an experiment; ``*``: of any."""
    here = Path("params.yaml").read_bytes()
    revisions = _git("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}").split()
    shown = [["git", "show", f"{revision}:./params.yaml"] for revision in revisions]
    return any(subprocess.run(line, capture_output=True, check=False).stdout == here for line in shown)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout
