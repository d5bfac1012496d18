"""The command that compares experiments.

Experiments that differ in seeds only (train.seed, split.seed) count as one: its accuracy is the mean.
"""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from onepass.comparison import (
    WORKSPACE,
    Experiment,
    Experiments,
    NoResultsError,
    SeedGroup,
    accuracies,
    against_the_baseline,
    against_the_best,
    check_same_images,
    comparison_page,
    difference,
    draw_accuracies,
    notes,
    paired_tests,
    ranked,
)
from onepass.core import UserError, write_atomically

IMPLIED = [WORKSPACE, "HEAD"]  # compared without being named, where they have results
HOW_TO_RUN = "`dvc exp run --name NAME -S head.hidden_units=16` runs one; params.yaml says what can be set"


def ending_in(*suffixes: str) -> Any:
    """A check of an option that is a path: it must end in one of these."""

    def check(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
        if path and path.suffix.lower() not in suffixes:
            raise click.BadParameter(f"{path} given; allowed: a {' or '.join(suffixes)} file")
        return path

    return check


@click.command()
@click.argument("names", nargs=-1, metavar="[EXPERIMENT]...")
@click.option("--baseline", metavar="NAME", help="Test against this one, chosen beforehand; not the best.")
@click.option(
    "--plot",
    metavar="PATH",
    type=click.Path(path_type=Path),
    callback=ending_in(".png", ".svg"),
    help="Draw the accuracies into a .png or .svg file.",
)
@click.option(
    "--html",
    metavar="PATH",
    type=click.Path(path_type=Path),
    callback=ending_in(".html"),
    help="Write the comparison as a page, a .html file.",
)
def command(names: tuple[str, ...], baseline: str | None, plot: Path | None, html: Path | None) -> None:
    """Compare experiments: one table, paired tests on the same images, one sentence that claims no more than they do.

    EXPERIMENT is a name that `dvc exp list` shows, any revision of git, or workspace; without one: all experiments of
    this commit, the workspace and HEAD. Those that differ in seeds only count as one.

    Example: python -m onepass compare ours question-cnn --html comparison.html
    """
    known = Experiments()
    experiments = [known.read(name) for name in names] if names else read_all(known)
    if baseline:
        experiments.append(known.read(baseline))
    groups = ranked(experiments)
    if not groups:
        raise UserError(f"there are no results to compare: {HOW_TO_RUN}.")
    print(_table(accuracies(groups)))
    check_same_images(groups)
    if plot:
        with written("--plot", plot):
            draw_accuracies(groups, plot)
    if len(groups) == 1:
        unwritten = f" {html} was not written." if html else ""
        print(f"\nThere is nothing to compare {groups[0].name} with: {HOW_TO_RUN}.{unwritten}")
        return
    against = next((group for group in groups for run in group.runs if baseline in run.names), None)
    verdict = against_the_baseline(groups, against) if against else against_the_best(groups)
    print(f"\n{_table(paired_tests(verdict))}\n")
    lines = notes(groups, verdict, against)
    print("\n".join(lines))
    print(f"\n{verdict.sentence}")
    if html:
        with written("--html", html):
            write_atomically(html, comparison_page(groups, verdict, lines, repeated(groups, baseline, html)))


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


def repeated(groups: Sequence[SeedGroup], baseline: str | None, html: Path) -> str:
    """The command that compares the same ones and writes the same page, for a shell."""
    names = [run.names[0] for group in groups for run in group.runs]
    against = ["--baseline", baseline] if baseline else []
    return shlex.join(["python", "-m", "onepass", "compare", *names, *against, "--html", str(html)])
