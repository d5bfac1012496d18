"""What nobody can read is found among photos by its name and kind, without being opened."""

import os
import socket
from pathlib import Path

import pytest

from onepass.photos import odd_entries


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a photo in a class."""
    (tmp_path / "photos/cats").mkdir(parents=True)
    (tmp_path / "photos/cats/1.jpg").write_bytes(b"x")
    return tmp_path / "photos"


def test_files_folders_and_links_to_them_are_nothing_odd(root: Path) -> None:
    (root.parent / "elsewhere").mkdir()
    (root / "dogs").symlink_to("../elsewhere")
    (root / "again").symlink_to("cats")
    (root / "cats/2.jpg").symlink_to("1.jpg")
    assert list(odd_entries(root)) == []


def test_a_pipe_is_named_and_not_opened(root: Path) -> None:
    os.mkfifo(root / "cats/pipe")
    assert list(odd_entries(root)) == [("cats/pipe", "a named pipe: whoever opens it waits for a writer")]
    (root / "cats/link").symlink_to("pipe")
    assert [name for name, _ in odd_entries(root)] == ["cats/link", "cats/pipe"]
    assert list(odd_entries(root / "cats/pipe")) == [(f"{root}/cats/pipe", dict(odd_entries(root))["cats/pipe"])]


def test_a_socket_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # a socket's path may have 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
    assert list(odd_entries(root)) == [("s", "a socket")]


def test_a_link_to_a_device_is_named(root: Path) -> None:
    (root / "cats/zero").symlink_to("/dev/zero")
    assert list(odd_entries(root)) == [("cats/zero", "a device")]


def test_a_link_to_nothing_and_a_circle_of_links_are_named(root: Path) -> None:
    (root / "cats/a").symlink_to("b")
    (root / "cats/b").symlink_to("a")
    (root / "cats/c").symlink_to("gone")
    found = dict(odd_entries(root))
    assert list(found) == ["cats/a", "cats/b", "cats/c"]
    assert found["cats/c"] == "a link to gone, where nothing is (No such file or directory)"


def test_a_link_to_a_folder_above_is_named_and_not_followed(root: Path) -> None:
    (root / "cats/up").symlink_to("..")
    assert list(odd_entries(root)) == [("cats/up", f"a link to the folder that it lies in, {root}")]


def test_a_name_that_is_no_utf8_is_named(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).mkdir()
    (root / "thé").mkdir()
    ((name, kind),) = odd_entries(root)
    assert os.fsencode(name) == b"caf\xe9"
    assert kind == r"a name that is no UTF-8, b'caf\xe9': rename it"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_may_not_be_opened_is_named(root: Path) -> None:
    (root / "cats").chmod(0)
    assert list(odd_entries(root)) == [("cats", "a folder that cannot be opened: Permission denied")]
    (root / "cats").chmod(0o700)


def test_a_root_that_is_a_file_or_is_missing_has_none(root: Path) -> None:
    assert list(odd_entries(root / "cats/1.jpg")) == list(odd_entries(root / "missing")) == []
