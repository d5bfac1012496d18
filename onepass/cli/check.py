"""The command that looks at params.yaml before any work. The stages that take long run it first."""

import click

from onepass.checks import check_params
from onepass.params import BackboneParams, missing_elsewhere, read_params


@click.command()
def command() -> None:
    """Say what is wrong in params.yaml: each key, what was given, and what is allowed. Silent if nothing is.

    A change against the last commit that nothing reads is wrong too, if it is the only one: such a run would give what
    the last one gave. A weights file that only another machine has is told, and no mistake in params.yaml.

    Example: python -m onepass check
    """
    params = read_params()
    check_params(params)
    if problem := missing_elsewhere(params.read(BackboneParams).weights):
        print(problem, flush=True)
