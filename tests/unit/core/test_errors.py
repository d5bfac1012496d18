"""Whatever stops a stage, it ends with a message for the person who must act, and no traceback on the screen."""

import errno
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from onepass.core import UserError, explained, listed
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


def test_any_other_error_ends_in_words_of_ours_and_its_traceback_is_in_a_file() -> None:
    done = run('raise ZeroDivisionError("by zero\\nin detail")')
    assert done.returncode == 1
    found = re.fullmatch(
        r"\nonepass: a mistake in onepass, not in what it was given: ZeroDivisionError: by zero\. "
        r"Report it with the traceback in (\S+)\. What is finished is kept\.\n\n",
        done.stderr,
    )
    assert found, done.stderr
    log = Path(ROOT, found[1])
    assert log.read_text().startswith("Traceback (most recent call last):")
    log.unlink()


def test_a_stop_by_the_keyboard_says_that_nothing_is_lost() -> None:
    done = run("raise KeyboardInterrupt")
    assert done.returncode == 1
    assert done.stderr == "\nonepass: stopped. What is finished is kept, and the same command goes on from there.\n\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x", "a/b"), "a/b: the disk is full. Make room; the same command goes on with what is "),
        (OSError(errno.ENOSPC, "x"), "the disk is full. Make room"),
        (PermissionError(errno.EACCES, "x", b"a"), "a: this user may not write or read there. Mend the permissions"),
        (
            OSError(errno.EROFS, "x", "a"),
            "a: the file system can only be read. Mount it writable, or set another ",
        ),
        (
            sqlite3.OperationalError("database or disk is full"),
            "a temporary table cannot be kept: database or disk is full. Make room where the system has temporary "
            "files, or name another folder: `TMPDIR=/path/to/folder`.",
        ),
        (MemoryError("10 GB"), "out of memory: 10 GB. Close other programs, or lower what the stage holds at once"),
        (UserError("mend it"), "mend it"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else repr(value),
)
def test_what_a_machine_refuses_is_explained(error: Exception, said: str) -> None:
    assert explained(error).startswith(said)


def test_a_traceback_that_cannot_be_written_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert "The traceback cannot be written to a file:\nKeyError: 'a'\n" in explained(KeyError("a"))


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
