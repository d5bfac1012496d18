"""The command that compares experiments.

Experiments with the same predictions count as one run, and runs that differ in seeds only (train.seed, split.seed) as
one experiment: its accuracy is the mean. Only what was evaluated on the same images is compared.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from tabulate import tabulate

from onepass.cli.output_files import ending_in, plot_option, written
from onepass.comparison import (
    IMPLIED,
    Comparison,
    Experiment,
    Experiments,
    NoResultsError,
    SeedGroup,
    accuracies,
    compared,
    comparison_page,
    difference,
    draw_accuracies,
    paired_tests,
    ranked,
)
from onepass.core import UserError, write_atomically

HOW_TO_RUN = (
    "`python -m onepass try small -S head.hidden_units=16` runs an experiment; params.yaml says what can be set"
)


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT]...")
@click.option("--baseline", metavar="NAME", help="Test against this one, chosen beforehand; not the best.")
@click.option("--all", "every_pair", is_flag=True, help="Show the tests of every pair; not only those with the best.")
@plot_option("Draw the accuracies into a .png or .svg file.")
@click.option(
    "--html",
    metavar="PATH",
    type=click.Path(path_type=Path),
    callback=ending_in(".html"),
    help="Write the comparison as a page, a .html file.",
)
def command(
    names: tuple[str, ...], baseline: str | None, every_pair: bool, plot: Path | None, html: Path | None
) -> None:
    """Compare experiments: one table, paired tests on the same images, one sentence that claims no more than they do.

    EXPERIMENT is a name that `dvc exp list` shows, any revision of git, or workspace; without one: all experiments of
    this commit, the workspace and HEAD. Those that differ in seeds only count as one, and so do those with the same
    predictions. What was evaluated on other images has a table and tests of its own.

    Example: python -m onepass compare ours question-cnn --html comparison.html
    """
    if every_pair and baseline:
        raise click.UsageError(
            "--all shows the tests of every pair, with --baseline only those with one experiment are made: give one "
            "of the two."
        )
    known = Experiments()
    experiments = [known.read(name) for name in names] if names else read_all(known)
    if baseline:
        experiments.append(known.read(baseline))
    groups = ranked(experiments)
    if not groups:
        raise UserError(f"there are no results to compare: {HOW_TO_RUN}.")
    comparisons = compared(groups, baseline, every_pair, known.looks)
    if plot:
        with written("--plot", plot):
            draw_accuracies(comparisons, plot)
    print("\n\n".join(_said(one, headed=len(comparisons) > 1) for one in comparisons))
    if len(groups) == 1:
        unwritten = f" {html} was not written." if html else ""
        print(f"{HOW_TO_RUN}.{unwritten}")
        return
    if html:
        again = repeated(groups, baseline, every_pair, html)
        with written("--html", html):
            write_atomically(html, comparison_page(comparisons, again))


def read_all(known: Experiments) -> list[Experiment]:
    """All experiments of this commit; workspace and HEAD, where they have results for the same images as one of these.

    Says what it leaves out.
    """
    found: list[Experiment] = []
    for name in [*known.names, *IMPLIED]:
        reason = ""
        try:
            experiment = known.read(name)
        except NoResultsError as error:
            reason = "" if name in IMPLIED else str(error)
        except UserError as error:
            reason = str(error)
        else:
            if name in IMPLIED and found and all(difference(experiment, other) for other in found):
                reason = f"{name}: {difference(experiment, found[0])}"
            else:
                found.append(experiment)
        if reason:
            print(f"left out: {reason}\n", file=sys.stderr)
    return found


def _said(comparison: Comparison, headed: bool) -> str:
    """A comparison in text: what was evaluated, where there are others, the tables, how to read them, what follows."""
    heading = [f"## Evaluated on {comparison.images}", comparison.differs] if headed else []
    tests = [_table(paired_tests(comparison.verdict))] if comparison.verdict else []
    notes = "\n".join(filter(None, [*comparison.notes, comparison.optimism]))
    parts = [*heading, _table(accuracies(comparison.groups)), *tests, notes, comparison.sentence]
    return "\n\n".join(filter(None, parts))


def _table(rows: list[dict[str, str]]) -> str:
    text: str = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True, preserve_whitespace=True)
    return text


def repeated(groups: Sequence[SeedGroup], baseline: str | None, every_pair: bool, html: Path) -> str:
    """The command that compares the same ones and writes the same page, for a shell.

    Where a run has a name of its own, workspace and HEAD are not needed, which will be something else tomorrow.
    """
    names = [
        experiment.name
        for group in groups
        for run in group.runs
        for experiment in run.experiments
        if experiment is run.first or experiment.name not in IMPLIED
    ]
    options = [*(["--baseline", baseline] if baseline else []), *(["--all"] if every_pair else [])]
    return shlex.join(["python", "-m", "onepass", "compare", *names, *options, "--html", str(html)])
