"""Every command explains itself on one screen, with an example to copy, and quickly."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from onepass.cli import COMMANDS, main, onepass
from tests.builders import ENVIRONMENT, ROOT

PATHS = ["", *COMMANDS, "recipes list", "recipes run", "weights add"]
LINES = 40


def find(path: str) -> click.Command:
    """The command of a path such as "recipes run"; of none, the group of all."""
    found: click.Command = onepass
    for name in path.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), name)
        assert inner is not None
        found = inner
    return found


def help_of(path: str, columns: int) -> str:
    shown = CliRunner().invoke(onepass, [*path.split(), "--help"], terminal_width=columns)
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("columns", [80, 120])
def test_help_fits_one_screen(path: str, columns: int) -> None:
    lines = help_of(path, columns).splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("path", PATHS)
def test_help_shows_an_example_of_the_command_that_it_would_take(path: str) -> None:
    (line,) = re.findall(r"(?m)^ *(Example: .*)$", help_of(path, 120))
    assert line.startswith(" ".join(["Example: python -m onepass", *path.split()]))
    arguments = shlex.split(line)[4 + len(path.split()) :]
    with find(path).make_context(path, arguments):
        pass


def test_help_of_a_group_names_each_of_its_commands_and_what_it_is_for() -> None:
    for path in ("", "recipes", "weights"):
        group, text = find(path), " ".join(help_of(path, 120).split())
        assert isinstance(group, click.Group)
        for name in group.list_commands(click.Context(group)):
            assert re.search(rf" {name} [A-Z]", text)
    assert all(summary in " ".join(help_of("", 120).split()) for summary in COMMANDS.values())


def test_every_file_with_a_command_is_known_by_its_name() -> None:
    names = {path.stem for path in (ROOT / "onepass" / "cli").glob("*.py")} - {"__init__"}  # try is no name for Python
    found = {name for name in names if hasattr(import_module(f"onepass.cli.{name}"), "command")}
    assert {name.rstrip("_") for name in found} == set(COMMANDS)


def test_help_imports_neither_tensorflow_nor_dvc() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "onepass", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: python -m onepass [OPTIONS] COMMAND")
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"tensorflow", "keras", "dvc"}


@pytest.mark.parametrize("arguments", [["frobnicate"], ["recipes", "frobnicate"], ["check", "--frobnicate"]])
def test_what_is_no_command_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "No such" in printed.err and "frobnicate" in printed.err


def test_a_users_error_is_a_message_and_exits_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("\nonepass: params.yaml is missing. Run from the root of the project")
    assert printed.err.endswith(".\n\n")
