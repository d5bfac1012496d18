"""Damage to stored features is found wherever it is, and the command that the message gives mends it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import Project


def flip(content: bytes) -> bytes:
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


READER = [
    "python",
    "-m",
    "stages.train_head",
    "data/weights.json",
    "data/prepared/splits.csv",
    "data/features",
    "out",
    "model.keras",
    "curves",
]
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a flipped bit": flip,
    "a truncated part": lambda content: content[:-9],
    "a zeroed half": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
    "trailing bytes": lambda content: content + b"\0",
}


@pytest.fixture(scope="module")
def shared_project(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Extracted, committed, and pushed to a remote in a folder."""
    project = pixel_project.copy(tmp_path_factory.mktemp("shared") / "project")
    project.repro("extract-features")
    project.run("dvc", "remote", "add", "--default", "team", "../remote")
    project.run("dvc", "push", "--quiet")
    project.commit()
    return project


@pytest.fixture
def shared(shared_project: Project, tmp_path: Path) -> Project:
    remote = shared_project.folder.parent / "remote"
    Project(remote).copy(tmp_path / "remote")
    return shared_project.copy(tmp_path / "project")


def damage_stored(store: Path, how: Callable[[bytes], bytes]) -> int:
    """Damages every object that is a part of features; how many these are."""
    parts = [path for path in store.rglob("*") if path.is_file() and path.read_bytes().startswith(b"\x93NUMPY")]
    for path in parts[::7]:
        path.chmod(0o644)
        path.write_bytes(how(path.read_bytes()))
        path.chmod(0o444)
    return len(parts[::7])


def mend_as_told(project: Project, message: str, *options: str) -> str:
    """Runs the commands that the message gives, in order."""
    commands = re.findall(r"`([^`]+)`", message)
    assert commands == ["python -m onepass repair", "dvc repro"]
    repaired = project.run(*commands[0].split(), *options)
    project.run(*commands[1].split(), "extract-features")
    return repaired


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_in_the_workspace_is_named_and_mended_as_the_message_says(name: str, shared: Project) -> None:
    part = min((shared.folder / "data" / "features").glob("*.npy"))
    sound = part.read_bytes()
    part.write_bytes(DAMAGES[name](sound))
    message = shared.run(*READER, expect=1)
    assert f"data/features/{part.name}" in message
    assert f"deleted, damaged: data/features/{part.name} in the workspace" in mend_as_told(shared, message)
    assert part.read_bytes() == sound


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_in_the_cache_is_found_after_checkout_and_mended(name: str, shared: Project) -> None:
    folder = shared.folder / "data" / "features"
    sound = {path.name: path.read_bytes() for path in folder.iterdir()}
    count = damage_stored(shared.folder / ".dvc" / "cache" / "files", DAMAGES[name])
    for path in folder.iterdir():
        path.unlink()
    shared.run("dvc", "checkout", "--force", "data/features")
    message = shared.run(*READER, expect=1)
    assert "A part of the features is damaged" in message
    assert f"{2 * count} deleted" in mend_as_told(shared, message)  # the workspace's copies and the cache's
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == sound
    assert shared.run("python", "-m", "onepass", "repair").splitlines()[-1].endswith(", 0 deleted")


def test_damage_on_the_remote_is_found_and_the_remote_mended(shared: Project, tmp_path: Path) -> None:
    count = damage_stored(tmp_path / "remote", flip)
    shared.run("rm", "-rf", ".dvc/cache", "data/features")
    shared.run("dvc", "pull", "--quiet", "data/features")
    message = shared.run(*READER, expect=1)
    assert f"{3 * count} deleted" in mend_as_told(shared, message, "--remote")
    shared.run("dvc", "push", "--quiet", "data/features")
    assert shared.run("python", "-m", "onepass", "repair", "--remote").splitlines()[-1].endswith(", 0 deleted")


def test_a_remote_that_is_verified_gives_no_damaged_part(shared: Project, tmp_path: Path) -> None:
    damage_stored(tmp_path / "remote", flip)
    shared.run("dvc", "remote", "modify", "team", "verify", "true")
    shared.run("rm", "-rf", ".dvc/cache", "data/features")
    assert "failed" in shared.run("dvc", "pull", "data/features", expect=1).lower()


def test_a_damaged_part_is_not_reused_but_computed_again(shared: Project) -> None:
    damage_stored(shared.folder / ".dvc" / "cache" / "files", flip)
    shared.run("rm", "-rf", ".dvc/cache/onepass", "data/features")
    output = shared.run("dvc", "repro", "--force", "--single-item", "extract-features")
    assert "not reused, a part of the previous features is lost or damaged: data/features/" in output
    assert int(re.findall(r"(\d+) computed", output)[0]) > 0


def test_repair_names_the_outputs_that_it_knows(shared: Project) -> None:
    message = shared.run("python", "-m", "onepass", "repair", "data/nothing", expect=2)
    assert "dvc.lock knows no output data/nothing; it knows: data/features, data/prepared/decoding.json" in message


READERS = {  # a stage, and the outputs of others that it reads beside the features
    "evaluate data/prepared data/features data/head metrics/training metrics": [
        "data/prepared/images.csv",
        "data/prepared/splits.csv",
        "data/head/head.json",
        "data/head/weights.npz",
        "data/head/prototypes.npy",
        "metrics/training/plots/metrics/train/loss.tsv",
    ],
    "report data/prepared data/features data/head metrics/training metrics": [
        "data/prepared/quarantine.csv",
        "metrics/metrics.json",
        "metrics/predictions.csv",
        "metrics/classes.csv",
        "metrics/reliability.csv",
        "metrics/findings.json",
        "metrics/abstentions.json",
        "metrics/coverage.csv",
        "metrics/nearest.csv",
    ],
    "extract_features data/weights.json data/prepared out": ["data/weights.json", "data/prepared/wanted_views.txt"],
}


def damage_unseen(path: Path) -> None:
    """Flips a bit, so that DVC, which looks at size and date, takes the file for unchanged."""
    status = path.stat()
    path.chmod(0o644)
    path.write_bytes(flip(path.read_bytes()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_flipped_bit_in_any_output_is_refused_where_it_is_read_and_mended_as_told(
    pixels_done: Project, tmp_path: Path
) -> None:
    project = pixels_done.copy(tmp_path / "project")
    project.run("dvc", "status")  # DVC notes sizes and dates of this copy
    files = [*(file for read in READERS.values() for file in read), "data/model.keras"]
    sound = {file: (project.folder / file).read_bytes() for file in files}
    for command, read in READERS.items():
        for file in read:
            damage_unseen(project.folder / file)
            message = project.run("python", "-m", *f"stages.{command}".split(), expect=1)
            named = re.search(r"onepass: (\S+) is not what \S+ wrote, but changed or damaged since", message)
            assert named, message
            assert file.startswith(named[1])
            assert "Traceback" not in message
            (project.folder / file).write_bytes(sound[file])
    for file in files:
        damage_unseen(project.folder / file)
    repaired = project.run("python", "-m", "onepass", "repair")
    assert f"{len(files)} deleted" in repaired
    project.run("dvc", "repro")
    assert {file: (project.folder / file).read_bytes() for file in files} == sound
    assert project.run("git", "status", "--short") == ""
