"""At whatever DVC would hang, or fail without a word, the commands that come before it answer, and soon."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import Project

SOON = 10  # seconds
BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def pipe(photos: Path) -> None:
    os.mkfifo(photos / "cats/pipe.jpg")


def device(photos: Path) -> None:
    (photos / "cats/zero.jpg").symlink_to("/dev/zero")


def unix_socket(photos: Path) -> None:
    here = Path.cwd()
    os.chdir(photos / "cats")  # the address of a socket may have 100 bytes
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.jpg")
    os.chdir(here)


def dangling(photos: Path) -> None:
    (photos / "cats/gone.jpg").symlink_to("/nowhere/at/all.jpg")


def circle(photos: Path) -> None:
    (photos / "cats/self.jpg").symlink_to("self.jpg")


def loop(photos: Path) -> None:
    (photos / "cats/again").symlink_to(photos, target_is_directory=True)


def latin_1(photos: Path) -> None:
    Path(os.fsdecode(os.fsencode(photos) + b"/cats/caf\xe9.png")).write_bytes(b"x")


ODD: dict[Callable[[Path], None], str] = {
    pipe: "cats/pipe.jpg: a named pipe: whoever opens it waits for a writer",
    device: "cats/zero.jpg: a device",
    unix_socket: "cats/socket.jpg: a socket",
    dangling: "cats/gone.jpg: a link to /nowhere/at/all.jpg, where nothing is",
    circle: "cats/self.jpg: a link to self.jpg, where nothing is",
    loop: "cats/again: a link to the folder that it lies in",
    latin_1: "a name that is no UTF-8, ",
}
WRITTEN = {  # at the end of params.yaml, and what is said
    BOMB: "params.yaml has a YAML alias (*name); write the value out instead.",
    "more: \xff": "more: unknown key; allowed: data, split",
    "data:\n  root: 5\n": 'duplicate key "data"',
}
pytestmark = pytest.mark.slow


def answers(project: Project, *command: str) -> str:
    """What the command says; it ends soon, with a message and no traceback."""
    start = time.monotonic()
    said = project.run("timeout", str(3 * SOON), "python", "-m", "onepass", *command, expect=2)
    assert time.monotonic() - start < SOON
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_what_is_no_photo_is_named_and_not_opened(make: Callable[[Path], None], fresh: Project) -> None:
    make(fresh.folder.parent / "photos")
    for command in (["check"], ["try", "one", "-S", "train.epochs=1"]):
        said = answers(fresh, *command)
        assert ODD[make] in said, said
        assert "Move it elsewhere; a CSV with the columns file,label names just the photos." in said


@pytest.mark.parametrize("text", WRITTEN, ids=lambda text: text[:10])
def test_settings_that_dvc_cannot_read_are_named(text: str, fresh: Project) -> None:
    path = fresh.folder / "params.yaml"
    path.write_text(path.read_text() + text)
    assert WRITTEN[text] in answers(fresh, "check")


def test_a_root_that_is_no_text_is_named(fresh: Project) -> None:
    fresh.set({"data.root": 5})
    assert "data.root: 5 given; allowed: a text that is not empty" in answers(fresh, "check")


def test_a_list_of_locks_that_a_kill_left_empty_is_mended(fresh: Project) -> None:
    rwlock = fresh.folder / ".dvc/tmp/rwlock"
    rwlock.parent.mkdir(parents=True, exist_ok=True)
    rwlock.write_text("")
    assert "is gone: DVC makes a new one." in fresh.run("python", "-m", "onepass", "check")
    fresh.run("dvc", "status")


@pytest.mark.parametrize("target", ["run", "publish"])
def test_make_looks_first(target: str, fresh: Project) -> None:
    (fresh.folder / ".venv").mkdir()
    (fresh.folder / ".venv/ready").touch()
    (done,) = [line for line in fresh.run("make", "--dry-run", target).splitlines() if "dvc" in line]
    assert done.index("python -m onepass check && ") < done.index("dvc ")
