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
from tools.experiments import WORKSPACE, Experiment, Experiments, NoResultsError
from tools.systems import System, check_same_images, difference, ranked
from tools.verdict import Verdict, against_the_baseline, against_the_best, notes, points

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

    known = Experiments()
    experiments = [known.read(name) for name in given.experiments] if given.experiments else read_all(known)
    if given.baseline:
        experiments.append(known.read(given.baseline))
    systems = ranked(experiments)
    if not systems:
        raise UserError(f"there are no results to compare: {HOW_TO_RUN}.")
    print(_table(accuracies(systems)))
    check_same_images(systems)
    if given.plot:
        plot(systems, given.plot)
    if len(systems) == 1:
        print(f"\nThere is nothing to compare {systems[0].name} with: {HOW_TO_RUN}.")
        return
    baseline = next((system for system in systems for run in system.runs if given.baseline in run.names), None)
    verdict = against_the_baseline(systems, baseline) if baseline else against_the_best(systems)
    print(f"\n{_table(paired_tests(verdict))}\n")
    print("\n".join(notes(systems, verdict, baseline)))
    print(f"\n{verdict.sentence}")


def plot(systems: Sequence[System], path: Path) -> None:
    """Draws the accuracies. UserError where the file cannot be written."""
    from tools.accuracy_plot import draw  # noqa: PLC0415 - costs a second

    try:
        draw(systems, path)
    except OSError as error:
        raise UserError(f"--plot: {path} cannot be written: {error.strerror}.") from error


def read_all(known: Experiments) -> list[Experiment]:
    """All experiments of this commit; workspace and HEAD, where they have results for the same images.

    Says what it leaves out.
    """
    found: list[Experiment] = []
    for name in [*known.names, *IMPLIED]:
        try:
            experiment = known.read(name)
        except NoResultsError as error:
            reason = "" if name in IMPLIED else str(error)
        except UserError as error:
            reason = str(error)
        else:
            differs = difference(experiment, found[0]) if found and name in IMPLIED else ""
            reason = f"{name}: {differs}" if differs else ""
            found += [] if differs else [experiment]
        if reason:
            print(f"left out: {reason.strip().removeprefix('onepass: ')}\n", file=sys.stderr)
    return found


def accuracies(systems: Sequence[System]) -> list[dict[str, str]]:
    """Rows of the table of what each system reached and cost."""
    return [
        {
            "experiment": " = ".join(system.runs[0].names),
            "accuracy": f"{system.accuracy:.4f}",
            "95 % interval": "{:.4f} to {:.4f}".format(*system.interval),
            "seeds": _seeds(system),
            "log loss": f"{system.log_loss:.4f}",
            "seconds to train": _known(system.seconds, ",.1f"),
            "parameters trained": _known(system.runs[0].trained_parameters, ","),
            "rows computed": _known(system.computed, ","),
            "evaluated on": f"{len(system.runs[0].labels)} {system.runs[0].split}",
        }
        for system in systems
    ]


def paired_tests(verdict: Verdict) -> list[dict[str, str]]:
    """Rows of the table of the tests."""
    return [
        {
            "accuracy of": test.first.name,
            "minus that of": test.second.name,
            "points": points(test.paired.difference),
            "95 % interval": f"{points(test.paired.low)} to {points(test.paired.high)}",
            "p": _p(test.paired.p),
            "p, corrected": _p(test.p),
        }
        for test in verdict.tests
    ]


def _seeds(system: System) -> str:
    by_seed = system.right.mean(axis=1)
    return f"{len(by_seed)}: {by_seed.min():.4f} to {by_seed.max():.4f}" if len(by_seed) > 1 else "1"


def _known(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _table(rows: list[dict[str, str]]) -> str:
    text: str = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True, preserve_whitespace=True)
    return text


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


if __name__ == "__main__":
    main()
