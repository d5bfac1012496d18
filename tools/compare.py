"""An honest comparison of experiments: one table, paired tests on the same images, one sentence.

    python -m tools.compare [EXPERIMENT...] [--baseline NAME] [--plot PATH] [--html PATH]

EXPERIMENT is a name that `dvc exp list` shows, any revision of git, or workspace; without one: all experiments
of this commit, the workspace and HEAD. Experiments that differ in seeds only (train.seed, split.seed) count as
one system: its accuracy is the mean.
"""

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tabulate import tabulate

from stages.shared.durable import write_whole
from stages.shared.errors import UserError
from tools.comparison_page import comparison_page
from tools.comparison_tables import accuracies, paired_tests
from tools.experiments import WORKSPACE, Experiment, Experiments, NoResultsError
from tools.systems import System, check_same_images, difference, ranked
from tools.verdict import against_the_baseline, against_the_best, notes

IMPLIED = [WORKSPACE, "HEAD"]  # compared without being named, where they have results
HOW_TO_RUN = "`dvc exp run --name NAME -S head.hidden_units=16` runs one; params.yaml says what can be set"


def main(arguments: list[str] | None = None) -> None:
    given = parsed(arguments)
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
        from tools.accuracy_plot import draw  # noqa: PLC0415 - costs a second

        with written("--plot", given.plot):
            draw(systems, given.plot)
    if len(systems) == 1:
        unwritten = f" {given.html} was not written." if given.html else ""
        print(f"\nThere is nothing to compare {systems[0].name} with: {HOW_TO_RUN}.{unwritten}")
        return
    baseline = next((system for system in systems for run in system.runs if given.baseline in run.names), None)
    verdict = against_the_baseline(systems, baseline) if baseline else against_the_best(systems)
    print(f"\n{_table(paired_tests(verdict))}\n")
    lines = notes(systems, verdict, baseline)
    print("\n".join(lines))
    print(f"\n{verdict.sentence}")
    if given.html:
        with written("--html", given.html):
            write_whole(given.html, comparison_page(systems, verdict, lines, command(systems, given)))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="name, git revision, or workspace")
    parser.add_argument("--baseline", metavar="NAME", help="test against this one, chosen beforehand; not the best")
    parser.add_argument("--plot", metavar="PATH", type=Path, help="draw the accuracies into a .png or .svg file")
    parser.add_argument("--html", metavar="PATH", type=Path, help="write the comparison as a page, a .html file")
    given = parser.parse_args(arguments)
    if given.plot and given.plot.suffix.lower() not in (".png", ".svg"):
        parser.error(f"--plot: {given.plot} given; allowed: a .png or .svg file")
    if given.html and given.html.suffix.lower() != ".html":
        parser.error(f"--html: {given.html} given; allowed: a .html file")
    return given


def command(systems: Sequence[System], given: argparse.Namespace) -> str:
    """The command that compares the same ones and writes the same page, for a shell."""
    names = [run.names[0] for system in systems for run in system.runs]
    baseline = ["--baseline", given.baseline] if given.baseline else []
    return shlex.join(["python", "-m", "tools.compare", *names, *baseline, "--html", str(given.html)])


@contextmanager
def written(option: str, path: Path) -> Iterator[None]:
    """UserError where the file of an option cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{option}: {path} cannot be written: {error.strerror}.") from error


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


def _table(rows: list[dict[str, str]]) -> str:
    text: str = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True, preserve_whitespace=True)
    return text


if __name__ == "__main__":
    main()
