"""A killed extraction goes on where it was; two that need the same rows compute them once."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.builders import ENVIRONMENT, Project, write_photos

BATCH = 4  # images, with the slow network
IMAGES = 200
IN_FLIGHT = 2  # batches: one that is computed, and the one before that is being saved
STAGE = ["python", "-m", "stages.extract_features", "data/weights.json", "data/prepared", "data/features"]


SLOW = {"PYTHONPATH": str(Path(__file__).with_name("slow_network")), "SLOW_BATCH": str(BATCH)}


@pytest.fixture
def slow(fresh: Project) -> Project:
    """200 photos prepared; with SLOW, the network takes its time and writes down every image that it computes."""
    write_photos(fresh.folder.parent / "photos", {"cats": 70, "dogs": 70}, seed=1)
    fresh.repro("prepare")
    fresh.commit()
    return fresh


def computed(project: Project) -> list[str]:
    """The hash of each image that passed the network, once for each time it did."""
    log = project.folder / "computed.log"
    return log.read_text().split() if log.is_file() else []


def start(project: Project, command: list[str], output: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """The command in the background, in a process group of its own."""
    environment = {**ENVIRONMENT, **SLOW, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site")}
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=environment,
        text=True,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.more
def test_twenty_kills_cost_at_most_the_batches_in_flight_each_and_leave_the_same_bytes(
    slow: Project, tmp_path: Path
) -> None:
    undisturbed = slow.copy(tmp_path / "undisturbed")
    undisturbed.run(*STAGE, environment=SLOW)
    dice = random.Random(0)
    for _ in range(20):
        process = start(slow, STAGE, subprocess.DEVNULL)
        enough = len(computed(slow)) + dice.randint(0, 3) * BATCH
        while len(computed(slow)) < enough:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.05))
        kill(process)
    assert len(set(computed(slow))) < IMAGES  # every kill met work
    slow.run(*STAGE, environment=SLOW)
    assert set(computed(slow)) == set(computed(undisturbed))
    assert IMAGES <= len(computed(slow)) <= IMAGES + 20 * IN_FLIGHT * BATCH
    assert contents(slow.folder / "data" / "features") == contents(undisturbed.folder / "data" / "features")


@pytest.mark.more
def test_kills_while_the_parts_are_written_leave_the_same_bytes(slow: Project) -> None:
    slow.run(*STAGE, environment=SLOW)
    whole = contents(slow.folder / "data" / "features")
    dice = random.Random(0)
    for _ in range(10):
        process = start(slow, STAGE, subprocess.DEVNULL)
        time.sleep(dice.uniform(0.3, 1.0))
        kill(process)
    assert slow.run(*STAGE, environment=SLOW).endswith(f"{IMAGES} images: {IMAGES} reused, 0 computed\n")
    assert contents(slow.folder / "data" / "features") == whole


def kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_two_runs_that_need_the_same_rows_compute_them_once(slow: Project) -> None:
    other = slow.folder / "other"
    first = start(slow, STAGE)
    second = start(slow, [*STAGE[:-1], str(other)])
    outputs = sorted(process.communicate()[0].splitlines()[-1] for process in (first, second))
    assert outputs == [f"{IMAGES} images: 0 reused, {IMAGES} computed", f"{IMAGES} images: {IMAGES} reused, 0 computed"]
    assert len(computed(slow)) == IMAGES
    assert contents(slow.folder / "data" / "features") == contents(other)


@pytest.mark.more
def test_two_queue_workers_that_need_the_same_rows_compute_them_once(slow: Project) -> None:
    for seed in (1, 2):
        slow.run("dvc", "exp", "run", "--queue", "--set-param", f"train.seed={seed}")
    slow.run_queue(workers=2, environment={**SLOW, "COMPUTED": str(slow.folder / "computed.log")})
    assert len(computed(slow)) == len(set(computed(slow))) == IMAGES


@pytest.mark.more
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_run_whose_dvc_died_stops_by_itself_and_keeps_its_rows(slow: Project, shell: str) -> None:
    process = start(slow, ["env", f"SHELL={shell}", "dvc", "repro", "extract-features"], subprocess.DEVNULL)
    end = time.monotonic() + 60
    while len(computed(slow)) < 3 * BATCH:
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1)
    rows = len(computed(slow))
    time.sleep(1)
    assert len(computed(slow)) == rows < IMAGES
    output = slow.run(*STAGE, environment=SLOW)
    reused = int(re.findall(r"(\d+) reused", output)[-1])
    assert rows - IN_FLIGHT * BATCH <= reused <= rows
