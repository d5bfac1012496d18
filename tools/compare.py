"""An honest comparison of experiments: one table, paired tests on the same images, one sentence.

    python -m tools.compare [EXPERIMENT...] [--baseline NAME] [--plot PATH]

EXPERIMENT is a name that `dvc exp list` shows, any revision of git, or workspace; without one: all experiments
of this commit, the workspace and HEAD. Experiments that differ in seeds only (train.seed, split.seed) count as
one system: its accuracy is the mean.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from stages.shared.errors import UserError
from tools.experiments import WORKSPACE, Experiment, Experiments
from tools.systems import System, check_same_images, ranked
from tools.verdict import Verdict, against_the_baseline, against_the_best

IMPLIED = [WORKSPACE, "HEAD"]  # compared without being named, where they have results
HOW_TO_RUN = "`dvc exp run --name NAME -S head.hidden_units=16` runs one; params.yaml says what can be set"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="name, git revision, or workspace")
    parser.add_argument("--baseline", metavar="NAME", help="test against this one, chosen beforehand; not the best")
    parser.add_argument("--plot", metavar="PATH", type=Path, help="draw the accuracies into a .png or .svg file")
    given = parser.parse_args(arguments)
    if given.plot and given.plot.suffix.lower() not in (".png", ".svg"):
        parser.error(f"--plot: {given.plot} given; allowed: a .png or .svg file")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names can be anything

    systems = ranked(read(given.experiments, given.baseline))
    if not systems:
        raise UserError(f"there are no results to compare: {HOW_TO_RUN}.")
    print(accuracies(systems))
    check_same_images(systems)
    if given.plot:
        plot(systems, given.plot)
    if len(systems) == 1:
        print(f"\nThere is nothing to compare {systems[0].name} with: {HOW_TO_RUN}.")
        return
    baseline = next((system for system in systems for run in system.runs if given.baseline in run.names), None)
    verdict = against_the_baseline(systems, baseline) if baseline else against_the_best(systems)
    print(f"\n{tests(verdict)}\n")
    print("\n".join(notes(systems, verdict, baseline)))
    print(f"\n{verdict.sentence}")


def plot(systems: Sequence[System], path: Path) -> None:
    """Draws the accuracies. UserError where the file cannot be written."""
    from tools.accuracy_plot import draw  # noqa: PLC0415 - costs a second

    try:
        draw(systems, path)
    except OSError as error:
        raise UserError(f"--plot: {path} cannot be written: {error.strerror}.") from error


def read(names: Sequence[str], baseline: str | None = None) -> list[Experiment]:
    """The experiments of these names, or of all names that go without saying. Says which ones it leaves out.

    Raises:
        UserError: one that was named has no results.

    """
    known = Experiments()
    named = list(dict.fromkeys([*names, *([baseline] if baseline else [])]))
    found = []
    for name in named if names else [*dict.fromkeys([*known.names, *IMPLIED, *named])]:
        try:
            experiment = known.read(name)
            if experiment is None and (name in named or name not in IMPLIED):
                raise UserError(f"{name} has no results: evaluate has not run in it. {HOW_TO_RUN}.")
        except UserError as error:
            if name in named:
                raise
            print(f"left out: {str(error).strip().removeprefix('onepass: ')}\n", file=sys.stderr)
        else:
            found += [experiment] if experiment else []
    return found


def accuracies(systems: Sequence[System]) -> str:
    """The table of what each system reached and cost."""
    rows = []
    for system in systems:
        low, high = system.interval
        runs = system.runs
        by_seed = system.right.mean(axis=1)
        seconds = [run.seconds for run in runs if run.seconds is not None]
        computed = [run.computed for run in runs if run.computed is not None]
        parameters = [run.trained_parameters for run in runs if run.trained_parameters is not None]
        rows.append(
            {
                "experiment": system.name,
                "accuracy": f"{system.accuracy:.4f}",
                "95 % interval": f"{low:.4f} to {high:.4f}",
                "seeds": f"{len(runs)}: {by_seed.min():.4f} to {by_seed.max():.4f}" if len(runs) > 1 else "1",
                "log loss": f"{system.log_loss:.4f}",
                "seconds to train": f"{sum(seconds) / len(seconds):.1f}" if seconds else "-",
                "parameters trained": next(
                    (f"{n:,}" for run in runs if (n := run.trained_parameters) is not None), "-"
                ),
                "rows computed": f"{sum(computed):,}" if computed else "-",
                "evaluated on": f"{len(runs[0].labels)} {runs[0].split}",
            }
        )
    return _table(rows)


def tests(verdict: Verdict) -> str:
    """The table of the paired tests."""
    rows = [
        {
            "accuracy of": test.first.name,
            "minus that of": test.second.name,
            "points": f"{100 * test.paired.difference + 0.0:.1f}",
            "95 % interval": f"{100 * test.paired.low + 0.0:.1f} to {100 * test.paired.high + 0.0:.1f}",
            "p": _p(test.paired.p),
            "p, corrected": _p(test.p),
        }
        for test in verdict.tests
    ]
    return _table(rows)


def notes(systems: Sequence[System], verdict: Verdict, baseline: System | None) -> list[str]:
    """How the tests were made, and what they do not say."""
    several = [system for system in systems if len(system.runs) > 1]
    test = "McNemar's exact test"
    if several:
        test = f"exact permutation test of each image's share of right seeds (Fisher); of one seed each, {test}"
    family = f"all {verdict.corrected_for} pairs, as the best was found on these very images"
    if baseline:
        family = f"{verdict.corrected_for} comparisons with {baseline.name}, which counts as chosen before"
    lines = [
        f"p: {test}; corrected (Holm) for {family}.",
        "Intervals of differences: paired bootstrap over images (Efron), each for itself.",
        *(f"{s.name}: the mean of {', '.join(' = '.join(run.names) for run in s.runs)}." for s in several),
    ]
    if len(several) < len(systems):
        lines.append("Of one seed, a test speaks of that one trained head: another seed may give another accuracy.")
    if any(run.chose_the_epoch for system in systems for run in system.runs):
        lines.append("These images chose the epochs, too: all accuracies are somewhat optimistic.")
    return lines


def _table(rows: list[dict[str, str]]) -> str:
    text: str = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True, preserve_whitespace=True)
    return text


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


if __name__ == "__main__":
    main()
