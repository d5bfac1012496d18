"""The command that goes from a folder of photos to the best honest model."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from onepass.checks import committed_params
from onepass.core import UserError
from onepass.dvc_repo import dvc_files, stages_that_make
from onepass.params import BackboneParams, DataParams, ParamsFile
from onepass.selection import (
    COMPARISON,
    Plan,
    Search,
    backbones_at_hand,
    bring_here,
    judge,
    make_plan,
    name_for,
    write_comparison,
)
from onepass.surroundings import check_surroundings
from onepass.trials import check_name, fixed_settings, photos_in_params

UNITS = {"s": 1, "m": 60, "h": 3600}
DIGITS = "data/digits/"


class Duration(click.ParamType):  # type: ignore[type-arg]  # its argument came with click 8.3
    """90s, 10m or 2h, as seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", value)
        if not found:
            self.fail(f"{value!r} given; allowed: a number with s, m or h, such as 90s, 10m or 2h", param, ctx)
        return float(found[1]) * UNITS[found[2]]


@click.command()
@click.option(
    "--photos", type=click.Path(path_type=Path), metavar="PATH", help="Default: data.root of the last commit."
)
@click.option("--budget", type=Duration(), default="10m", show_default=True, metavar="TIME", help="Such as 90s or 2h.")
@click.option(
    "--backbone",
    "named",
    multiple=True,
    metavar="FILE|NAME[=FILE]",
    help="Choose among these only; default: data/weights, data/imagenet and that of params.yaml.",
)
@click.option(
    "--name",
    "given_name",
    metavar="NAME",
    help="Of the experiment with the result; default: best, or best-FOLDER where that is about other photos.",
)
@click.option("-S", "changes", multiple=True, metavar="SECTION.KEY=VALUE", help="A change in data or split.")
def command(
    photos: Path | None, budget: float, named: tuple[str, ...], given_name: str | None, changes: tuple[str, ...]
) -> None:
    """Find the best model for a folder of photos: backbone, cut and head are chosen by cross-validation.

    The photos that judge it in the end (test, or validation where there is no test) have no say in the choice and are
    looked at once. Everything that is tried is an experiment, NAME-...; run again, the search goes on. Ctrl-C takes the
    best so far. Exit code: 0 done, 1 done, but some experiments failed, 2 nothing done.

    Example: python -m onepass best --photos ~/photos --budget 10m
    """
    if given_name:
        check_name(given_name)
    base = fixed_settings(changes, ("data", "split"))
    if photos:
        base["data.root"] = photos_in_params(photos)
    committed = ParamsFile({**committed_params()})
    backbone = committed.read(BackboneParams)
    root = base.setdefault("data.root", committed.read(DataParams).root)
    name = name_for(given_name, root)
    digits = root.startswith(DIGITS)
    check_surroundings([root])
    make_what_is_missing([root, *([backbone.weights] if digits else [])])
    plan = make_plan(root, backbones_at_hand(named, backbone, digits))
    print(described(plan), flush=True)
    search = Search(name, base, plan, budget)
    best = search.run()
    print(f"best in cross-validation: {best.candidate.name}\n", flush=True)
    judged = judge(name, base, best)
    print(f"{name}: {judged.sentence}")
    if judged.looks_before:
        print(f"An earlier {name} was judged by such photos before: looked at often, they flatter.")
    write_comparison([judged.experiment, *(tried.experiment for tried in search.tried)])
    print(f"{bring_here(name)} What was tried: {COMPARISON}")
    if search.skipped:
        print(f"not tried for want of time: {', '.join(search.skipped)}. Run it again with a larger --budget to go on.")
    if search.failed:
        print(f"failed: {', '.join(search.failed)}", file=sys.stderr)
        sys.exit(1)


def make_what_is_missing(paths: list[str]) -> None:
    """What a stage makes, such as the embedded digits; it is measured before the first experiment."""
    missing = [path for path in paths if not Path(path).exists()]
    if makers := stages_that_make(dvc_files(), missing) if missing else []:
        subprocess.run([sys.executable, "-m", "dvc", "repro", *makers], check=False)
    if lacking := [path for path in missing if not Path(path).exists()]:
        raise UserError(f"{', '.join(lacking)} does not exist. Give a folder of photos with --photos.")


def described(plan: Plan) -> str:
    """What there is to choose from, for people."""
    lines = [f"{plan.images:,} files, {len(plan.backbones)} backbones to choose from:"]
    for backbone in plan.backbones:
        cost = plan.costs[backbone.label]
        lines.append(
            f"  {backbone.label}: {1000 * cost.seconds:.1f} ms a photo, {plan.images * cost.seconds:.0f} s for all; "
            f"cuts: {', '.join(cost.cuts) or 'last'}"
        )
    return "\n".join(lines)
