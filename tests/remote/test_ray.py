"""A cluster of Ray computes the bytes that one machine computes, whatever is killed meanwhile; so do shards."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import ENVIRONMENT, Project, with_own_photos, write_photos
from tests.remote.ray_cluster import Cluster, ray_cluster

pytestmark = pytest.mark.more
STAGE = ["python", "-m", "stages.extract_features"]
BATCH = 4  # images, with the slow network
IMAGES = 200
SLOW = {
    "PYTHONPATH": str(Path(__file__).parents[1] / "pipeline/slow_network"),
    "SLOW_BATCH": str(BATCH),
    "COMPUTED": "computed.log",
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with ray_cluster(3, {}) as started:
        yield started


@pytest.fixture
def slow_cluster() -> Iterator[Cluster]:
    with ray_cluster(3, SLOW) as started:
        yield started


@pytest.fixture(scope="module")
def prepared(pixel_project: Project, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """200 photos and a network, ready to be extracted."""
    project = with_own_photos(pixel_project, tmp_path_factory.mktemp("prepared"))
    write_photos(project.folder.parent / "photos", {"cats": 70, "dogs": 70}, seed=1)
    shutil.copy(tiny_backbone, project.folder.parent / "tiny.keras")
    weights = str(project.folder.parent / "tiny.keras")
    project.set({"backbone.weights": weights, "backbone.layer": "late", "backbone.image_side": 16})
    project.repro("prepare", "weights")
    project.commit()
    return project


@pytest.fixture(scope="module")
def expected(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one machine computes."""
    project = prepared.copy(tmp_path_factory.mktemp("local") / "project")
    project.run(*STAGE)
    return features(project)


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy(tmp_path / "project")


def features(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.folder / "data/features").iterdir()}


def computed(project: Project) -> list[str]:
    log = project.folder / "computed.log"
    return log.read_text().split() if log.is_file() else []


def start(project: Project, cluster: Cluster) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*cluster.inside, *STAGE],
        cwd=project.folder,
        env={**ENVIRONMENT, "DVC_SITE_CACHE_DIR": str(project.folder.parent / "site"), **cluster.environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_until_computed(project: Project, rows: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while len(computed(project)) < rows:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.05)


def test_three_nodes_compute_the_bytes_that_one_machine_computes(
    cluster: Cluster, project: Project, expected: dict[str, bytes]
) -> None:
    output = project.run(*cluster.inside, *STAGE, environment=cluster.environment)
    assert output.endswith(f"{IMAGES} images: 0 reused, {IMAGES} computed\n")
    assert "Traceback" not in output
    assert features(project) == expected


def test_a_photo_that_is_gone_costs_itself_alone(
    cluster: Cluster, project: Project, expected: dict[str, bytes]
) -> None:
    photos = project.folder / "photos"
    table = (project.folder / "data/prepared/images.csv").read_text().splitlines()
    gone = table[100].split(",")[1]
    root = Path(re.search(r"root: (\S+)", (project.folder / "params.yaml").read_text())[1])  # type: ignore[index]
    shutil.copytree(root, photos)
    (photos / gone).unlink()
    shutil.rmtree(project.folder / ".dvc/cache/onepass/pool")  # the pixels that prepare has kept
    project.set({"data.root": str(photos)})
    output = project.run(*cluster.inside, *STAGE, environment=cluster.environment, expect=1)
    assert f"{photos / gone} cannot be read any more" in output
    assert "Traceback" not in output
    shutil.copy(root / gone, photos / gone)
    assert project.run(*STAGE).endswith(f"{IMAGES} images: {IMAGES - 1} reused, 1 computed\n")
    assert features(project) == expected


def test_two_drivers_at_once_compute_nothing_twice(
    slow_cluster: Cluster, project: Project, expected: dict[str, bytes]
) -> None:
    drivers = [start(project, slow_cluster) for _ in range(2)]
    outputs = sorted(driver.communicate()[0].splitlines()[-1] for driver in drivers)
    assert outputs == [f"{IMAGES} images: 0 reused, {IMAGES} computed", f"{IMAGES} images: {IMAGES} reused, 0 computed"]
    assert len(computed(project)) == len(set(computed(project))) == IMAGES
    assert features(project) == expected


def test_a_node_that_is_killed_costs_at_most_its_range(
    slow_cluster: Cluster, project: Project, expected: dict[str, bytes]
) -> None:
    driver = start(project, slow_cluster)
    wait_until_computed(project, 40, driver)
    slow_cluster.nodes[2].kill()
    output = driver.communicate()[0]
    assert output.endswith(f"{IMAGES} images: 0 reused, {IMAGES} computed\n"), output
    assert features(project) == expected
    assert len(set(computed(project))) == IMAGES
    assert IMAGES <= len(computed(project)) <= IMAGES + 3 * BATCH  # what the lost one had not saved yet


def test_after_its_driver_was_killed_the_next_run_goes_on(
    slow_cluster: Cluster, project: Project, expected: dict[str, bytes]
) -> None:
    driver = start(project, slow_cluster)
    wait_until_computed(project, 60, driver)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.communicate()
    output = project.run(*slow_cluster.inside, *STAGE, environment=slow_cluster.environment)
    reused = int(re.findall(r"(\d+) reused", output)[-1])
    assert reused >= 40
    assert features(project) == expected


def test_three_shards_leave_nothing_for_the_stage_to_compute(project: Project, expected: dict[str, bytes]) -> None:
    shards = [
        subprocess.Popen(
            [*STAGE, "--shard", f"{number}/3"],
            cwd=project.folder,
            env=ENVIRONMENT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for number in (1, 2, 3)
    ]
    said = [shard.communicate()[0].splitlines()[-1] for shard in shards]
    counts = [int(re.fullmatch(r"shard \d/3: (\d+) images, 0 were there, \1 computed", line)[1]) for line in said]  # type: ignore[index]
    assert sum(counts) == IMAGES
    assert min(counts) > IMAGES // 6
    assert not (project.folder / "data/features").exists()
    assert project.run(*STAGE).endswith(f"{IMAGES} images: {IMAGES} reused, 0 computed\n")
    assert features(project) == expected


@pytest.mark.parametrize("shard", ["4/3", "1/0", "a/b", "1", "-1/3", "1/99999"])
def test_a_shard_that_there_is_not_is_refused(shard: str, project: Project) -> None:
    output = project.run(*STAGE, f"--shard={shard}", expect=1)
    assert f"--shard: '{shard}' given; allowed: 1/N to N/N" in output


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("spark", "ONEPASS_WORKERS: 'spark' given; allowed: local, ray, ray://HOST:PORT."),
        ("ray://127.0.0.1:1", "ONEPASS_WORKERS: no cluster of Ray answers at ray://127.0.0.1:1"),
    ],
)
def test_workers_that_there_are_not_are_told(given: str, complaint: str, project: Project) -> None:
    output = project.run(*STAGE, environment={"ONEPASS_WORKERS": given}, expect=1)
    assert complaint in output
    assert "Traceback" not in output


def test_without_ray_the_message_says_how_to_install_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "without/ray").mkdir(parents=True)
    (tmp_path / "without/ray/__init__.py").write_text("raise ImportError('no ray')")
    environment = {"ONEPASS_WORKERS": "ray", "PYTHONPATH": str(tmp_path / "without")}
    output = project.run(*STAGE, environment=environment, expect=1)
    assert "ONEPASS_WORKERS: ray given, but no Ray is installed: `make install EXTRA=ray`." in output
