"""An upgrade costs a sample of the rows, not all of them, and sends no part again; rows that differ are never mixed."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import read_sealed_json, write_sealed_json
from onepass.features import open_store
from onepass.features.agreement import SAMPLE
from onepass.features.rows import make_rows, pack
from tests.builders import ENVIRONMENT, Project, write_photos

pytestmark = pytest.mark.more

FEATURES = Path("data/features")
STAGE = ["python", "-m", "stages.extract_features", "data/weights.json", "data/prepared", str(FEATURES)]
SLOW = {"PYTHONPATH": str(Path(__file__).with_name("slow_network")), "SLOW_BATCH": "8"}
STORED = 130  # photos that are extracted at first: more than a sample, and as many parts as with ten more
OLD = "1.2.3"  # of Pillow, by which they were extracted


@pytest.fixture(scope="module")
def extracted(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """130 photos, cut at the input, extracted by another version of Pillow, says their record."""
    folder = tmp_path_factory.mktemp("versions")
    write_photos(folder / "photos", {"cats": STORED // 2, "dogs": STORED // 2})
    project = pixel_project.copy(folder / "project")
    project.set({"data.root": "../photos"})
    extract(project)
    computed_elsewhere(project)
    project.commit()
    return project


@pytest.fixture
def upgraded(extracted: Project, tmp_path: Path) -> Project:
    """A copy with photos of its own."""
    shutil.copytree(extracted.folder.parent / "photos", tmp_path / "photos")
    return extracted.copy(tmp_path / "project")


def extract(project: Project, expect: int = 0) -> str:
    """What ``dvc repro`` prints, with every image that passes the network written down."""
    return project.run("dvc", "repro", "extract-features", expect=expect, environment=SLOW)


def computed(project: Project) -> list[str]:
    """The hash of each image that has passed the network since this was asked last."""
    log = project.folder / "computed.log"
    found = log.read_text().split() if log.is_file() else []
    log.unlink(missing_ok=True)
    return found


def counts(output: str) -> tuple[int, int]:
    """Rows reused and rows computed, as the stage says."""
    (found,) = re.findall(r"^\d+ images: (\d+) reused, (\d+) computed$", output, re.MULTILINE)
    return int(found[0]), int(found[1])


def add_photos(project: Project, count: int = 10, seed: int = 1) -> None:
    write_photos(project.folder.parent / "photos", {"cats": count}, seed=seed)


def record(project: Project) -> Any:
    return read_sealed_json((project.folder / FEATURES / "versions.json").read_bytes())


def parts(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.folder / FEATURES).glob("*.npy")}


def hashes(content: bytes, folder: Path) -> set[str]:
    """Of the rows in a part."""
    return {bytes(hash_).hex() for hash_ in open_store(folder).unpack(content, "a part")["hash"]}


def computed_elsewhere(
    project: Project,
    versions: dict[str, str] | None = None,
    change: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray,
) -> None:
    """Makes the stored features those of another machine: other versions in the record, and changed features."""
    folder = project.folder / FEATURES
    found = record(project)
    found["environments"] = [{**found["environments"][0], **(versions or {"pillow": OLD})}]
    write_sealed_json(folder / "versions.json", found)
    store = open_store(folder)
    for path in folder.glob("*.npy"):
        rows = store.unpack(path.read_bytes(), path.name)
        names = [bytes(hash_).hex() for hash_ in rows["hash"]]
        path.write_bytes(pack(make_rows(names, change(rows["features"]).astype(store.dtype), store.key)))
    project.run("dvc", "commit", "--force", "extract-features")
    shutil.rmtree(project.folder / ".dvc" / "cache" / "onepass" / "pool", ignore_errors=True)
    computed(project)


def test_after_an_upgrade_ten_new_photos_cost_these_and_a_sample_and_no_part_is_sent_again(upgraded: Project) -> None:
    remote = upgraded.folder.parent / "remote"
    upgraded.run("dvc", "remote", "add", "--default", "team", str(remote))
    upgraded.run("dvc", "push", "extract-features")
    before, there = parts(upgraded), {path for path in remote.rglob("*") if path.is_file()}
    add_photos(upgraded)
    output = extract(upgraded)
    passed = computed(upgraded)
    assert counts(output) == (STORED, 10)
    assert len(passed) == len(set(passed)) == SAMPLE + 10
    assert "64 of 130 stored rows, computed anew, are the same to the last bit. They were computed with " in output
    assert len({one["pillow"] for one in record(upgraded)["environments"]} - {OLD}) == 1
    assert record(upgraded)["same_bits"] is True

    after = parts(upgraded)
    new = set(passed[SAMPLE:])
    changed = {name for name, content in after.items() if before.get(name) != content}
    assert changed == {name for name, content in after.items() if hashes(content, upgraded.folder / FEATURES) & new}
    upgraded.run("dvc", "push", "extract-features")
    sent = {path for path in remote.rglob("*") if path.is_file()} - there
    assert len(sent) == len([*changed, "fingerprint.json", "versions.json", "the listing"])


def test_versions_that_were_checked_once_are_not_checked_again_and_a_third_is(upgraded: Project) -> None:
    add_photos(upgraded)
    extract(upgraded)
    computed(upgraded)
    add_photos(upgraded, seed=2)
    assert counts(extract(upgraded)) == (STORED + 10, 10)
    assert len(computed(upgraded)) == 10
    known = record(upgraded)["environments"]

    computed_elsewhere(upgraded, {"pillow": "4.5.6"})  # as if a colleague's had made all of them
    add_photos(upgraded, seed=3)
    assert counts(extract(upgraded)) == (STORED + 20, 10)
    assert len(computed(upgraded)) == SAMPLE + 10
    assert sorted(one["pillow"] for one in record(upgraded)["environments"]) == sorted(
        ["4.5.6", *(one["pillow"] for one in known if one["pillow"] != OLD)]
    )


def test_where_nothing_is_computed_nothing_is_checked_and_the_record_stays(upgraded: Project) -> None:
    before = record(upgraded)
    for file in sorted((upgraded.folder.parent / "photos").glob("cats/*"))[:10]:
        file.unlink()
    assert counts(extract(upgraded)) == (STORED - 10, 0)
    assert computed(upgraded) == []
    assert record(upgraded) == before


def test_rows_that_differ_stop_the_stage_before_any_work_and_are_renewed_on_demand(upgraded: Project) -> None:
    computed_elsewhere(upgraded, change=lambda pixels: pixels ^ 1)
    before = parts(upgraded)
    add_photos(upgraded)
    output = extract(upgraded, expect=255)
    assert re.search(
        r"64 of 130 stored rows, .*, differ by up to 1, where the largest feature is 2..; allowed: ", output
    )
    for words in (
        "allowed: 0.0001 of that",
        f"They were computed with pillow {OLD} (here ",
        "Nothing was computed",
        "set backbone.versions: renew, which computes all 140 rows anew here, in about 1 min",
        "`dvc checkout` brings back the stored features",
    ):
        assert words in output
    assert "close, with which they stay" not in output
    assert len(computed(upgraded)) == SAMPLE
    upgraded.run("dvc", "checkout", "extract-features")
    assert parts(upgraded) == before

    upgraded.set({"backbone.versions": "renew"})
    assert counts(extract(upgraded)) == (0, STORED + 10)
    assert [one["pillow"] for one in record(upgraded)["environments"]] != [OLD]
    assert len(record(upgraded)["environments"]) == 1
    for rule in ("close", "renew"):
        upgraded.set({"backbone.versions": rule})
        assert counts(upgraded.run("dvc", "repro", "--force", "--single-item", "extract-features"))[1] == 0


@pytest.mark.parametrize(
    "content", [b"", b'{"environments": [', b'{"environments": [{"pillow": "\x1b[2J"}]}'], ids=repr
)
def test_a_damaged_record_is_none_and_its_rows_are_checked(content: bytes, upgraded: Project) -> None:
    (upgraded.folder / FEATURES / "versions.json").write_bytes(content)
    upgraded.run("dvc", "commit", "--force", "extract-features")
    add_photos(upgraded)
    assert "They were computed with versions that are not recorded.\n" in extract(upgraded)
    assert len(computed(upgraded)) == SAMPLE + 10
    assert len(record(upgraded)["environments"]) == 1


def test_the_sample_is_of_photos_that_are_at_hand_and_without_any_nothing_is_mixed(upgraded: Project) -> None:
    add_photos(upgraded)
    upgraded.repro("prepare")
    old = sorted((upgraded.folder.parent / "photos").glob("*/*-0-*.png"))
    for file in old[2:]:
        file.rename(upgraded.folder / file.name)
    assert "2 of 130 stored rows, computed anew, are the same to the last bit" in upgraded.run(*STAGE)
    upgraded.run("dvc", "checkout", "--force", "extract-features")
    shutil.rmtree(upgraded.folder / ".dvc" / "cache" / "onepass" / "pool")
    for file in old[:2]:
        file.rename(upgraded.folder / file.name)
    output = upgraded.run(*STAGE, expect=1)
    assert f"The 130 stored rows were computed with pillow {OLD} (here " in output
    assert "cannot be seen: none of their photos is on this machine" in output
    assert not (upgraded.folder / ".dvc" / "cache" / "onepass" / "pool").exists()


def test_rows_in_the_pool_of_other_versions_are_checked_too(upgraded: Project) -> None:
    upgraded.set({"backbone.image_side": 9})
    extract(upgraded)
    pools = upgraded.folder / ".dvc" / "cache" / "onepass" / "pool"
    (pool,) = (path.parent for path in pools.glob("*/*/versions.json"))
    described = read_sealed_json((pool / "versions.json").read_bytes())
    described["environments"][0]["pillow"] = OLD
    write_sealed_json(pool / "versions.json", described)
    pool.rename(pool.with_name("0" * 16))
    upgraded.set({"backbone.image_side": 7})
    extract(upgraded)
    computed(upgraded)

    upgraded.set({"backbone.image_side": 9})
    assert counts(upgraded.run(*STAGE, environment=SLOW)) == (STORED, 0)  # nothing stands beside them
    assert computed(upgraded) == []
    assert [one["pillow"] for one in record(upgraded)["environments"]] == [OLD]
    add_photos(upgraded)
    assert counts(extract(upgraded)) == (STORED, 10)
    assert len(computed(upgraded)) == SAMPLE + 10


def test_a_killed_run_after_an_upgrade_goes_on_where_it_was(upgraded: Project, tmp_path: Path) -> None:
    add_photos(upgraded, count=100)
    upgraded.repro("prepare")
    undisturbed = upgraded.copy(tmp_path / "undisturbed")
    undisturbed.run(*STAGE)
    environment = {**ENVIRONMENT, **SLOW, "DVC_SITE_CACHE_DIR": str(upgraded.folder.parent / "site")}
    process = subprocess.Popen(
        STAGE, cwd=upgraded.folder, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    log = upgraded.folder / "computed.log"
    while not log.is_file() or len(log.read_text().split()) < SAMPLE + 40:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = len(computed(upgraded)) - SAMPLE
    reused, missing = counts(upgraded.run(*STAGE, environment=SLOW))
    assert reused >= STORED + done - 2 * int(SLOW["SLOW_BATCH"])
    assert len(computed(upgraded)) == SAMPLE + missing
    contents = [
        {path.name: path.read_bytes() for path in (project.folder / FEATURES).iterdir()}
        for project in (upgraded, undisturbed)
    ]
    assert contents[0] == contents[1]


@pytest.mark.more
@pytest.mark.slow
def test_rows_that_are_close_stay_with_a_line_unless_the_same_bits_are_asked_for(
    settled_project: Project, tmp_path: Path
) -> None:
    shutil.copytree(settled_project.folder.parent / "photos", tmp_path / "photos")
    project = settled_project.copy(tmp_path / "project")
    project.set({"data.root": str(tmp_path / "photos")})
    project.repro("extract-features")
    computed_elsewhere(project, {"tensorflow": "2.0.1"}, lambda features: features * np.float32(1 + 1e-5))
    before = parts(project)
    add_photos(project, count=1)
    project.set({"backbone.versions": "exact"})
    output = project.run("dvc", "repro", "extract-features", expect=255)
    assert "60 of 60 stored rows, computed anew, differ by up to " in output
    assert "allowed: none, with backbone.versions: exact" in output
    assert "They were computed with tensorflow 2.0.1 (here " in output
    assert "set backbone.versions: close, with which they stay; or set backbone.versions: renew" in output

    project.set({"backbone.versions": "close"})
    output = project.run("dvc", "repro", "extract-features")
    assert "60 of 60 stored rows, computed anew, differ by at most 1e-05 of the largest feature: they stay. " in output
    assert counts(output) == (60, 1)
    assert sum(before.get(name) != content for name, content in parts(project).items()) == 1
    assert record(project)["same_bits"] is False
    assert len(record(project)["environments"]) == 2

    add_photos(project, count=1, seed=2)  # what close has let in is not let in by exact
    project.set({"backbone.versions": "exact"})
    output = project.run("dvc", "repro", "extract-features", expect=255)
    assert "They were computed with versions of which some give only nearly the same features." in output
    project.set({"backbone.versions": "renew"})
    assert counts(project.run("dvc", "repro", "extract-features")) == (1, 61)  # that one was computed here
    assert record(project)["same_bits"] is True
