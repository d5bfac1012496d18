"""The search: candidates are tried one after the other, each an experiment of DVC, until the budget is spent.

What has been tried is known by DVC's experiments, so that a search that was stopped goes on where it was. The split
that evaluate scores is not looked at: what counts are answers to images that a cross-validation left out.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from onepass.comparison import Experiment, Experiments
from onepass.core import UserError
from onepass.dvc_repo import digest_of, dvc_files
from onepass.selection.candidates import Candidate, each_backbone, most_of_all, other_cuts, other_heads
from onepass.selection.plan import Plan
from onepass.trials import PATHS, Finished, Trial, run_trials

PROBE = "data/probe/dvc.yaml:probe"
FAR = 0.05  # in accuracy: more than another cut of a network is likely to bring
LAST_STEP = 30.0  # seconds that are kept for the one run of the whole pipeline
OF_ALL = ("prepare", PROBE)  # stages that would fail for every other candidate, too
SHOWN = 15  # lines of an experiment that failed


class Tried(NamedTuple):
    """A candidate with what came out."""

    candidate: Candidate
    experiment: Experiment

    @property
    def rank(self) -> tuple[float, float]:
        """The larger, the better: accuracy, then log loss, in cross-validation."""
        return float(self.experiment.right.mean()), -self.experiment.log_loss


class Search:
    """Tries candidates; ``tried``, ``failed`` and ``skipped`` say what has become of each."""

    def __init__(self, name: str, base: dict[str, Any], plan: Plan, budget: float) -> None:
        """Nothing is run yet.

        Args:
            name: of the search, before the names of its experiments.
            base: settings of data and split, section.key.
            budget: seconds, those of earlier runs of this search included.

        """
        self.tried: list[Tried] = []
        self.failed: list[str] = []
        self.skipped: list[str] = []  # for want of time
        self._name, self._base, self._plan, self._budget = name, base, plan, budget
        self._most = most_of_all(plan.backbones, plan.costs)
        self._stopped = False

    def run(self) -> Tried:
        """The best of all that could be tried; an interrupt (Ctrl-C) ends the search and not this call.

        Raises:
            UserError: nothing could be tried, or the photos cannot be used.

        """
        self._best_of(each_backbone(self._plan.backbones, self._plan.costs))
        best = self._best_of(other_cuts(self._good(), self._plan.costs))
        return self._best_of(other_heads(best.candidate))

    def _good(self) -> list[Candidate]:
        """The best of each backbone, unless it is far behind; the best first."""
        ranked = sorted(self.tried, key=lambda tried: tried.rank, reverse=True)
        best_of_each = {tried.candidate.label: tried for tried in reversed(ranked)}
        least = ranked[0].rank[0] - FAR
        return [t.candidate for t in ranked if t is best_of_each[t.candidate.label] and t.rank[0] >= least]

    def _best_of(self, candidates: Iterable[Candidate]) -> Tried:
        """The best of these and of all before."""
        for candidate in candidates:
            if candidate in [tried.candidate for tried in self.tried]:
                continue
            try:
                self._try(candidate)
            except KeyboardInterrupt:  # at whatever moment of it
                print("stopped: the best so far is taken", flush=True)
                self._stopped = True
        if not self.tried:
            raise UserError("none of the experiments could be run; what went wrong stands above.")
        return max(self.tried, key=lambda tried: tried.rank)

    def _try(self, candidate: Candidate) -> None:
        trial = candidate.trial(f"{self._name}-{candidate.name}", self._base)
        known = known_results(trial)
        seconds = 0.0
        if known is None:
            if self.tried and (self._stopped or self._expected(candidate) > self._left()):
                self.skipped.append(trial.name)
                return
            known, seconds = self._run(candidate, trial)
        if known:
            self.tried.append(Tried(candidate, known))
            took = f" ({seconds:.0f} s)" if seconds else ", known already"
            print(f"{known.right.mean():.4f}  {trial.name}{took}", flush=True)

    def _run(self, candidate: Candidate, trial: Trial) -> tuple[Experiment | None, float]:
        number = len(self.tried) + len(self.failed) + 1
        left = min(self._left(), self._expected(candidate) * (self._most - number + 1)) + LAST_STEP
        print(
            f"{number} of at most {self._most}: about {in_words(self._expected(candidate))}; "
            f"about {in_words(left)} to the end",
            flush=True,
        )
        start = time.perf_counter()
        (done,) = run_trials([trial], target=PROBE, quiet=True)
        seconds = time.perf_counter() - start
        self._plan.spend(seconds, seconds - self._extraction(candidate))
        if not done.well:
            if not self.tried and any(f"failed to reproduce '{stage}'" in done.output for stage in OF_ALL):
                raise UserError(f"these photos cannot be used:\n{last_lines(done)}")
            self.failed.append(trial.name)
            print(f"{trial.name} failed:\n{last_lines(done)}", flush=True)
            return None, seconds
        return Experiments().read(trial.name), seconds

    def _left(self) -> float:
        return self._budget - self._plan.spent - LAST_STEP

    def _expected(self, candidate: Candidate) -> float:
        """Seconds of an experiment."""
        return self._plan.overhead + self._extraction(candidate)

    def _extraction(self, candidate: Candidate) -> float:
        """Seconds of it that the photos take to pass the network; none, where the features are stored already."""
        stored = candidate.params in [tried.candidate.params for tried in self.tried]
        return 0.0 if stored else self._plan.extraction(candidate.label)


def results_of(name: str) -> Experiment | None:
    """An experiment of this commit; None where there is none of this name, or nobody has its results."""
    experiments = Experiments()
    try:
        return experiments.read(name) if name in experiments.names else None
    except UserError:
        return None


def known_results(trial: Trial) -> Experiment | None:
    """Those of an experiment of this name, if it was made of these settings, and of photos and weights as they are."""
    found = results_of(trial.name)
    if found is None or any(found.params.get(key, value) != value for key, value in trial.settings.items()):
        return None
    files = dvc_files()
    paths = [trial.settings[key] for key in PATHS if Path(trial.settings[key]).exists()]
    return found if all(found.sources.get(path) == digest_of(files, path) for path in paths) else None


def in_words(seconds: float) -> str:
    """A duration for people."""
    return f"{max(seconds, 0):.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def last_lines(done: Finished) -> str:
    """Of what an experiment said, indented."""
    lines = [line for line in done.output.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-SHOWN:])
