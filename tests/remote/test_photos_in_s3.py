"""Photos in a real S3 server are those of the folder, whatever happens to the server or on the way."""

import csv
import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import ENVIRONMENT, Project, write_photos
from tests.remote import servers
from tests.remote.crossing import crossing

pytestmark = [
    pytest.mark.more,
    pytest.mark.skipif(bool(servers.SERVERS_MISSING), reason=servers.SERVERS_MISSING),
]
CLASSES = {"cats": 200, "dogs": 200}
OUTAGE = 20  # seconds
ROW_TABLES = ("data/prepared/splits.csv", "data/prepared/wanted_views.txt")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("s3-photos") / "photos"
    write_photos(folder, CLASSES, side=32, seed=3)  # an answer with one has more than crossing.BODY bytes
    return folder


@pytest.fixture(scope="module")
def bucket(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.S3Server]:
    with servers.s3(tmp_path_factory.mktemp("s3")) as server:
        client = servers.client(server)
        for photo in sorted(photos.glob("*/*")):
            client.put_object(Bucket=server.bucket, Key=key(photo), Body=photo.read_bytes())
        yield server


@pytest.fixture(scope="module")
def expected(pixel_project: Project, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the stages make of the folder."""
    project = pixel_project.copy(tmp_path_factory.mktemp("folder") / "project")
    project.set({"data.root": str(photos)})
    project.repro("extract-features")
    return outputs(project)


@pytest.fixture
def project(pixel_project: Project, tmp_path: Path) -> Project:
    return pixel_project.copy(tmp_path / "project")


def key(photo: Path) -> str:
    return f"{photo.parent.name}/{photo.name}"


def write_table(path: Path, photos: Path, bucket: str, with_hashes: bool, more: tuple[str, ...] = ()) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "label", "hash"))
        for photo in sorted(photos.glob("*/*")):
            digest = hashlib.sha256(photo.read_bytes()).hexdigest() if with_hashes else ""
            table.writerow((f"s3://{bucket}/{key(photo)}", photo.parent.name, digest))
        for name in more:
            table.writerow((f"s3://{bucket}/{name}", "cats", ""))


def outputs(project: Project) -> dict[str, bytes]:
    """What does not name places."""
    features = (project.folder / "data/features").iterdir()
    return {path.name: path.read_bytes() for path in (*features, *(project.folder / name for name in ROW_TABLES))}


def quarantined(project: Project) -> list[list[str]]:
    with (project.folder / "data/prepared/quarantine.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def credentials(server: servers.S3Server, port: int) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": f"http://{servers.HOST}:{port}",
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def port_of(server: servers.S3Server) -> int:
    return int(server.endpoint.rpartition(":")[2])


@pytest.mark.parametrize("with_hashes", [True, False], ids=["hashes", "none"])
def test_photos_in_s3_are_those_of_the_folder_though_answers_are_damaged(
    with_hashes: bool, bucket: servers.S3Server, photos: Path, project: Project, expected: dict[str, bytes]
) -> None:
    table = project.folder.parent / "photos.csv"
    write_table(table, photos, bucket.bucket, with_hashes)
    project.set({"data.root": str(table)})
    with crossing(port_of(bucket), damaged=0.05) as way:
        project.run("dvc", "repro", "extract-features", environment=credentials(bucket, way.port))
        assert way.harmed >= 0.02 * way.answers > 0
    assert outputs(project) == expected
    assert quarantined(project) == []


def test_an_outage_midway_loses_nothing(
    bucket: servers.S3Server, photos: Path, project: Project, expected: dict[str, bytes]
) -> None:
    table = project.folder.parent / "photos.csv"
    write_table(table, photos, bucket.bucket, with_hashes=True)
    project.set({"data.root": str(table)})
    with crossing(port_of(bucket)) as way:
        command = ["dvc", "repro", "extract-features"]
        environment = {**ENVIRONMENT, **credentials(bucket, way.port)}
        with subprocess.Popen(command, cwd=project.folder, env=environment, stdout=subprocess.DEVNULL) as run:
            while way.answers < sum(CLASSES.values()) // 4:
                assert run.poll() is None
                time.sleep(0.01)
            way.stop_for(OUTAGE)
        assert run.returncode == 0
    assert outputs(project) == expected
    assert quarantined(project) == []


def test_what_stays_away_is_quarantined_by_its_address_and_too_much_of_it_stops_prepare(
    bucket: servers.S3Server, photos: Path, project: Project
) -> None:
    table = project.folder.parent / "photos.csv"
    write_table(table, photos, bucket.bucket, with_hashes=False, more=("cats/gone.png",))
    project.set({"data.root": str(table)})
    environment = credentials(bucket, port_of(bucket))
    project.run("dvc", "repro", "prepare", environment=environment)
    ((hash_, file, reason, detail),) = quarantined(project)
    assert (hash_, file, reason) == ("", f"s3://{bucket.bucket}/cats/gone.png", "unreachable")
    assert "FileNotFoundError" in detail
    gone = tuple(f"dogs/gone-{number}.png" for number in range(sum(CLASSES.values())))
    write_table(table, photos, bucket.bucket, with_hashes=False, more=gone)
    said = project.run("dvc", "repro", "prepare", environment=environment, expect=None)
    assert "data.max_quarantined" in said
    assert "gone-" in said


def test_wrong_credentials_are_told_and_never_taken_from_params(
    bucket: servers.S3Server, photos: Path, project: Project
) -> None:
    table = project.folder.parent / "photos.csv"
    write_table(table, photos, bucket.bucket, with_hashes=False)
    project.set({"data.root": str(table)})
    environment = credentials(bucket, port_of(bucket)) | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    said = project.run("dvc", "repro", "prepare", environment=environment, expect=None)
    assert "Traceback" not in said
    assert "PermissionError" in said
