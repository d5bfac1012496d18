"""The command that runs an experiment which is exactly what it says."""

import sys
from pathlib import Path

import click

from onepass.surroundings import check_surroundings
from onepass.trials import plan_trials, queue_trials, refuse_taken_names, roots_of, run_trials, usual_jobs


@click.command()
@click.argument("name")
@click.option(
    "-S",
    "changes",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="A change; may be repeated. Several values, separated by commas, make a grid.",
)
@click.option("--recipe", metavar="NAME", help="Start from a recipe: its params and the defaults of all others.")
@click.option("--photos", type=click.Path(path_type=Path), metavar="PATH", help="data.root, with any path.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, metavar="N", help="Run it with N training seeds.")
@click.option("--again", is_flag=True, help="Replace an experiment of this name.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Run so many at the same time; default: one a core where only heads differ, else 1.",
)
@click.option("--queue", is_flag=True, help="Do not run it now, but with `dvc queue start`.")
def command(
    name: str,
    changes: tuple[str, ...],
    recipe: str | None,
    photos: Path | None,
    seeds: int,
    again: bool,
    jobs: int | None,
    queue: bool,
) -> None:
    """Run an experiment: the params of the last commit with exactly these changes. The workspace stays as it is.

    `dvc exp show`, `dvc exp apply` and `python -m onepass compare` know it by its name. Several values or seeds give
    several experiments: NAME-1, NAME-2 and so on. A change that nothing would read is refused before any work.

    Example: python -m onepass try wide -S head.hidden_units=256
    """
    trials = plan_trials(name, changes, recipe, photos, seeds)
    if len(trials) > 1:
        for trial in trials:
            print(f"{trial.name}: {', '.join(f'{key}={value}' for key, value in trial.settings.items())}")
    check_surroundings(roots_of(trials))
    if not again:
        refuse_taken_names(trials)
    if queue:
        queue_trials(trials)
        return
    failed, left = [], [trial.name for trial in trials]
    try:
        for trial, well, output in run_trials(trials, jobs or usual_jobs(trials)):
            left.remove(trial.name)
            if output:
                print(f"{trial.name}: {'done' if well else 'failed'}\n{output}", flush=True)
            elif well:
                print(f"The workspace is as it was; `dvc exp apply {trial.name}` brings it all there.", flush=True)
            failed += [] if well else [trial.name]
    except KeyboardInterrupt:
        sys.exit(f"stopped; not done: {', '.join(failed + left)}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        sys.exit(1)
