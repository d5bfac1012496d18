"""Whether params.yaml can be used, all of it and before any work.

The stages that take long run this first, so that a mistake in train is not found after an hour of extraction. It can
only refuse: what comes out of a stage does not depend on it.
"""

import click

from onepass.backbones import check_backbone
from onepass.heads import read_head_plan
from onepass.params import BackboneParams, DataParams, ParamsError, ParamsFile, SplitParams, read_params

SECTIONS = ("data", "split", "backbone", "head", "train")


@click.command()
def command() -> None:
    """Say what is wrong in params.yaml: each key, what was given, and what is allowed. Silent if nothing is.

    Example: python -m onepass check
    """
    if problems := problems_of(read_params()):
        raise ParamsError(problems)


def problems_of(params: ParamsFile) -> list[str]:
    """A line for each key that is wrong, section by section."""
    allowed = ", ".join(SECTIONS)
    problems = [f"{name}: unknown key; allowed: {allowed}" for name in params.section_names if name not in SECTIONS]
    for check in (_data, _split, _backbone, _head):
        try:
            check(params)
        except ParamsError as error:  # the sections backbone and head need each other: each problem once
            problems += [problem for problem in error.problems if problem not in problems]
    return problems


def _data(params: ParamsFile) -> None:
    params.read(DataParams)


def _split(params: ParamsFile) -> None:
    params.read(SplitParams)


def _backbone(params: ParamsFile) -> None:
    check_backbone(params.read(BackboneParams))


def _head(params: ParamsFile) -> None:
    read_head_plan(params, params.read(BackboneParams))
