"""People's commands: a file a command, which is imported when it is called. Nothing imports this package.

Here is the one place that shows errors. Exit code: 0 done, 1 done in part (the command says what is missing), 2
nothing done.
"""

import sys
from importlib import import_module
from keyword import iskeyword

import click

from onepass.core import explained

COMMANDS = {  # and what each is for, so that --help needs to import none of them
    "best": "Find the best model for a folder of photos, by cross-validation, and judge it once.",
    "check": "Say what is wrong in params.yaml, before any work.",
    "compare": "Compare experiments: one table, paired tests on the same images, one sentence.",
    "export": "Write a model in a format that other programs read, and check that it says the same there.",
    "predict": "Say which class photos show, with the file of a model and nothing else.",
    "rank": "Say which backbone suits these photos, by a sample of them.",
    "recipes": "Named experiments: list them, or run them as experiments of the same names.",
    "suggest": "Say which photos of a folder without labels are best labelled next.",
    "try": "Run an experiment: the last commit's params with exactly these changes.",
    "weights": "Make a file of pretrained weights a part of the repository, for the whole team.",
    "repair": "Find damaged copies of what the stages made and delete them.",
}


class LazyGroup(click.Group):
    """Commands by name, each in a module of this package with an attribute ``command``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"onepass.cli.{name}" + "_" * iskeyword(name)).command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def onepass() -> None:
    """Sort photos into classes; every photo passes the network once. `dvc repro` runs the pipeline.

    Example: python -m onepass compare
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names can be anything
    try:
        onepass.main(arguments, prog_name="python -m onepass")
    except Exception as error:  # noqa: BLE001 - whatever happens, the last line is ours
        print(f"\nonepass: {explained(error)}\n", file=sys.stderr)
        sys.exit(2)
