"""What a kill or a restart leaves of DVC's locks is mended, and what DVC cannot read is named, before it begins."""

import json
import os
from pathlib import Path

import psutil
import pytest
from dvc.lock import make_lock

from onepass.core import UserError
from onepass.surroundings import (
    MD5_OF_NOTHING,
    check_surroundings,
    mend_lock_files,
    mend_locks,
    mend_remotes,
    mend_run_cache,
)
from tests.builders import ROOT

DAMAGED = ".dvc/tmp/rwlock was damaged, as a kill or a full disk leaves it, and is gone: DVC makes a new one."


@pytest.fixture
def rwlock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where DVC's list of locks would be, in a project without photos, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    Path(".dvc/tmp").mkdir(parents=True)
    Path("params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return Path(".dvc/tmp/rwlock")


def held_by(process: int) -> str:
    info = {"pid": process, "cmd": "dvc repro"}
    return json.dumps({"write": {"/a": info}, "read": {"/b": [info, info], "/c": []}})


@pytest.mark.parametrize("content", ["", "{", "5", '{"write": 3}', '{"write": {"a": {}}}', "\0" * 40])
def test_a_damaged_list_goes(content: str, rwlock: Path) -> None:
    rwlock.write_text(content)
    assert mend_locks(Path()) == DAMAGED
    assert not rwlock.exists()


@pytest.mark.parametrize("content", ["{}", '{"write": {}, "read": {}}', held_by(os.getpid())])
def test_a_list_in_use_or_without_entries_stays(content: str, rwlock: Path) -> None:
    rwlock.write_text(content)
    assert mend_locks(Path()) == ""
    assert rwlock.read_text() == content


def test_a_process_that_began_after_the_list_was_written_is_another_one(rwlock: Path) -> None:
    rwlock.write_text(held_by(os.getpid()))
    began = psutil.Process().create_time()
    os.utime(rwlock, (began - 60, began - 60))
    assert "named only processes that have ended" in mend_locks(Path())
    assert not rwlock.exists()


def test_no_list_is_nothing_to_mend(rwlock: Path) -> None:
    assert mend_locks(Path()) == ""
    assert list(rwlock.parent.iterdir()) == []


def test_a_list_that_another_dvc_is_writing_is_left_to_it(rwlock: Path) -> None:
    rwlock.write_text("")
    with (
        make_lock(f"{rwlock}.lock", tmp_dir=str(rwlock.parent)),
        pytest.raises(UserError, match=r"is in use by another DVC\. Wait for its end"),
    ):
        mend_locks(Path())
    assert rwlock.exists()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("dvc.lock", "<<<<<<< HEAD\nstages:\n=======\n", "line 2"),
        ("dvc.lock", "[]", "no sections in it"),
        ("dvc.yaml", "stages: [", "line 2"),
        ("data/digits/dvc.yaml", "\0", "control characters are not allowed"),
        ("data/w.h5.dvc", "- a", "no sections in it"),
    ],
)
def test_a_file_that_dvc_cannot_read_is_named(name: str, content: str, problem: str, rwlock: Path) -> None:
    assert rwlock.parent.is_dir()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(content)
    with pytest.raises(UserError) as caught:
        check_surroundings([])
    assert str(caught.value).startswith(f"{name} is damaged, and no command of DVC can read it: ")
    assert problem in str(caught.value)
    assert f"`git checkout {name}` brings back what was committed" in str(caught.value)


def test_inside_a_command_of_dvc_nothing_is_looked_at(rwlock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rwlock.write_text("")
    monkeypatch.setenv("DVC_STAGE", "prepare")
    check_surroundings(["nowhere"])
    assert rwlock.exists()


def test_an_empty_lock_file_goes(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "dvc.lock").touch()
    (tmp_path / "data/dvc.lock").write_text("schema: '2.0'\n")
    assert mend_lock_files(tmp_path) == f"{tmp_path / 'dvc.lock'} was empty, as a kill leaves it, and is gone."
    assert [path.name for path in tmp_path.rglob("dvc.lock")] == ["dvc.lock"]
    assert mend_lock_files(tmp_path) == ""


def test_what_a_push_left_empty_in_a_folder_goes(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    remotes = {"team": "../team 100%", "far": "s3://far"}
    sections = [f"['remote \"{name}\"']\n    url = {url}\n" for name, url in remotes.items()]
    (tmp_path / ".dvc/config").write_text("".join(["[core]\n    remote = team\n", *sections]))
    objects = tmp_path / "team 100%/files/md5"
    for name in ("65/3bd8.dir", "65/3bd9", MD5_OF_NOTHING[:2] + "/" + MD5_OF_NOTHING[2:], "66/aaaa"):
        (objects / name).parent.mkdir(parents=True, exist_ok=True)
        (objects / name).write_bytes(b"whole" if name.startswith("66") else b"")
    assert mend_remotes(tmp_path) == "2 files that a push had left empty in the remote are gone; push again."
    assert sorted(path.name for path in objects.glob("*/*")) == sorted(["aaaa", MD5_OF_NOTHING[2:]])
    assert mend_remotes(tmp_path) == ""


def test_what_a_push_is_trying_out_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("['remote \"team\"']\n    url = ../team\n")
    trial = tmp_path / "team/files/md5/65/3bd8.dir"
    trial.parent.mkdir(parents=True)
    trial.touch()
    monkeypatch.setattr("onepass.surroundings.time.sleep", lambda _seconds: trial.write_bytes(b"whole"))
    assert mend_remotes(tmp_path) == ""
    assert trial.read_bytes() == b"whole"


def test_in_a_stage_no_remote_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "prepare")
    monkeypatch.setattr("onepass.surroundings.os.scandir", None)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("['remote \"team\"']\n    url = ../team\n")
    (tmp_path / "team/files/md5/65").mkdir(parents=True)
    assert mend_remotes(tmp_path) == ""


def test_a_configuration_that_cannot_be_read_is_left_to_dvc(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_bytes(b"url = \xff\n[")
    assert mend_remotes(tmp_path) == ""


def test_what_is_unfinished_in_the_run_cache_goes(tmp_path: Path) -> None:
    entry = tmp_path / "runs/83/83aa"
    entry.mkdir(parents=True)
    (entry / "whole").write_text("cmd: x\n")
    for name in ("empty", ".mxo6xvw2lqbkda6BjqH7sQ.tmp"):
        (entry / name).touch()
    (tmp_path / "runs/83/83ab").mkdir()
    assert mend_run_cache(tmp_path / "runs") == f"3 unfinished entries in {tmp_path / 'runs'} are gone."
    assert [path.name for path in tmp_path.glob("runs/*/**/*")] == ["83aa", "whole"]
    assert mend_run_cache(tmp_path / "runs") == mend_run_cache(tmp_path / "none") == ""
