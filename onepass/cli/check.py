"""The command that looks at params.yaml before any work. The stages that take long run it first."""

from pathlib import Path

import click

from onepass.checks import check_params
from onepass.core import UserError
from onepass.params import BackboneParams, DataParams, missing_elsewhere, read_params
from onepass.surroundings import check_surroundings, mend_remotes


@click.command()
@click.argument("prepared", required=False, type=click.Path(path_type=Path))
def command(prepared: Path | None) -> None:
    """Say what is wrong in params.yaml: each key, what was given, and what is allowed. Silent if nothing is.

    Then the folder of photos: what in it is no file, at which DVC would hang. What a kill has left damaged of DVC's
    locks, of its list of earlier runs, and in a remote that is a folder, is mended.

    A change against the last commit that nothing reads is wrong too, if it is the only one: such a run would give what
    the last one gave. With PREPARED, the folder that prepare has written, also what does not fit the classes of the
    photos or the layers of the network, which is loaded where that is not known. A weights file that only another
    machine has is told, and no mistake in params.yaml.

    Example: python -m onepass check data/prepared
    """
    if prepared and not prepared.is_dir():
        raise UserError(f"PREPARED: {prepared} given, which is no folder. `dvc repro prepare` writes data/prepared.")
    params = read_params()
    check_params(params, prepared)
    if not prepared:
        check_surroundings([params.read(DataParams).root])
        if done := mend_remotes(Path()):
            print(done, flush=True)
    if problem := missing_elsewhere(params.read(BackboneParams).weights):
        print(problem, flush=True)
