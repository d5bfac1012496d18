"""Facts about runs are found again on this machine, from every workspace, and damage is only forgetting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from onepass.core import sha256_of_files
from onepass.dvc_repo import dvc_files, machine_folder, machine_folder_of_here
from onepass.machine_facts import key_of, recall, record
from tests.builders import Project

FACTS = {"seconds": 1.25, "reused": 3, "computed": 7}


@pytest.fixture
def workspace(pixel_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, and the current directory."""
    folder = pixel_project.copy(tmp_path / "project").folder
    monkeypatch.chdir(folder)
    return folder


def test_what_was_recorded_is_recalled_by_stage_and_content(workspace: Path) -> None:
    key = key_of(b"head", b"weights")
    record("train-head", key, FACTS)
    assert recall("train-head", key) == FACTS
    assert recall("evaluate", key) is None
    assert recall("train-head", key_of(b"another")) is None
    assert [path.name for path in (workspace / ".dvc/cache/onepass/runs").iterdir()] == [f"train-head-{key}.json"]


@pytest.mark.parametrize("cache", ["", "../elsewhere", "/nowhere/cache"], ids=["own", "relative", "absolute"])
@pytest.mark.parametrize("below", [".", "data"])
def test_the_place_of_facts_is_beside_the_cache_that_dvc_says(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, cache: str, below: str
) -> None:
    if cache:
        (workspace / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {cache}\n")
    monkeypatch.chdir(workspace / below)
    own = {"": ".dvc/cache", "../elsewhere": "elsewhere"}.get(cache, cache)
    expected = (workspace / own / "onepass").resolve()
    assert machine_folder_of_here().resolve() == expected
    assert machine_folder(dvc_files()).resolve() == expected


@pytest.mark.usefixtures("workspace")
def test_the_latest_record_counts() -> None:
    record("prepare", "0", {"seconds": 1.0})
    record("prepare", "0", {"seconds": 2.0})
    assert recall("prepare", "0") == {"seconds": 2.0}


def test_a_key_is_the_sha256_of_all_bytes_in_order(tmp_path: Path) -> None:
    assert key_of() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert key_of(b"ab", b"c") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "first").write_bytes(b"ab")
    (tmp_path / "second").write_bytes(b"c")
    assert sha256_of_files(tmp_path / "first", tmp_path / "second") == key_of(b"ab", b"c")


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:9], lambda content: bytes(len(content)), lambda _: b"", lambda _: b"[1]\n"],
    ids=["truncated", "zeroed", "empty", "no facts"],
)
def test_a_damaged_record_is_as_good_as_none(workspace: Path, damage: Callable[[bytes], bytes]) -> None:
    record("evaluate", "0", FACTS)
    path = workspace / ".dvc/cache/onepass/runs/evaluate-0.json"
    path.write_bytes(damage(path.read_bytes()))
    assert recall("evaluate", "0") is None
