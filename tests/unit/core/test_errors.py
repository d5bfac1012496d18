"""A mistake of the user ends a stage with its message alone; a mistake of ours keeps its traceback."""

import subprocess
import sys

import pytest

from onepass.core import listed
from tests.builders import ROOT

STAGE = """
from onepass.core import UserError, run_stage

def main(first, second):
    print(repr(first), repr(second))
    {end}

run_stage(main)
"""


def run(end: str) -> subprocess.CompletedProcess[str]:
    """A stage that takes two paths and ends so."""
    command = [sys.executable, "-c", STAGE.format(end=end), "data/a", "data/b"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_user_error_ends_a_stage_with_its_message_alone() -> None:
    done = run('raise UserError("data.root: x is missing. Give a folder.")')
    assert done.returncode == 1
    assert done.stderr.strip() == "onepass: data.root: x is missing. Give a folder."


def test_any_other_error_keeps_its_traceback() -> None:
    done = run("raise ZeroDivisionError")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert "onepass: " not in done.stderr


def test_a_stage_is_given_the_command_lines_paths_and_ends_well() -> None:
    done = run("pass")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "PosixPath('data/a') PosixPath('data/b')\n"


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [
        (0, 5, ""),
        (1, 5, "  0"),
        (5, 5, "  0\n  1\n  2\n  3\n  4"),
        (6, 5, "  0\n  1\n  2\n  3\n  4\n  ... and 1 more"),
        (100, 2, "  0\n  1\n  ... and 98 more"),
    ],
)
def test_a_list_shows_its_first_items_and_how_many_more_there_are(count: int, most: int, expected: str) -> None:
    assert listed([str(number) for number in range(count)], most) == expected


def test_a_list_shows_five_items_unless_told_otherwise() -> None:
    assert listed(list("abcdefg")) == "  a\n  b\n  c\n  d\n  e\n  ... and 2 more"
