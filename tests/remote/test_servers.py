"""DVC pushes to and pulls from real servers, which leave nothing behind."""

import contextlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from tests.builders import ENVIRONMENT, ROOT, Project
from tests.remote import servers

pytestmark = pytest.mark.more
needs_servers = pytest.mark.skipif(bool(servers.SERVERS_MISSING), reason=servers.SERVERS_MISSING)
MEBIBYTE = 1 << 20
Given = TypeVar("Given")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A DVC repository with 50 small files and a big one."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    seeded = random.Random(1)
    for number in range(50):
        (folder / "data" / f"small-{number}").write_bytes(seeded.randbytes(1000))
    (folder / "data" / "big").write_bytes(seeded.randbytes(10 * MEBIBYTE))
    project = Project(folder)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    project.run("dvc", "config", "core.analytics", "false")
    project.run("dvc", "config", "core.check_update", "false")
    project.run("dvc", "add", "--quiet", "data")
    return project


def set_remote(project: Project, url: str, settings: dict[str, str], local: dict[str, str]) -> None:
    """Adds the default remote, with what git may know and what it may not."""
    project.run("dvc", "remote", "add", "--default", "store", url)
    for name, value in settings.items():
        project.run("dvc", "remote", "modify", "store", name, value)
    for name, value in local.items():
        project.run("dvc", "remote", "modify", "--local", "store", name, value)


def check_round_trip(project: Project) -> None:
    """Pushes, loses everything here, and gets it all back."""
    data = project.folder / "data"
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    assert len(before) == 51
    assert "52 files pushed" in project.run("dvc", "push")  # the folder's listing is one more
    shutil.rmtree(data)
    shutil.rmtree(project.folder / ".dvc" / "cache")
    project.run("dvc", "pull")
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def children() -> set[psutil.Process]:
    """What was started here; not what those start in turn, which Swift does for moments."""
    return set(psutil.Process().children())


def listening(processes: set[psutil.Process]) -> list[tuple[str, int]]:
    """The addresses and ports where the processes accept connections."""
    sockets = [found for process in processes for found in process.net_connections(kind="inet")]
    return [(found.laddr.ip, found.laddr.port) for found in sockets if found.status == psutil.CONN_LISTEN]


@contextlib.contextmanager
def watched(server: contextlib.AbstractContextManager[Given], processes: int) -> Iterator[Given]:
    """Runs a server, which is to have that many processes, all on loopback, none of which is left at the end."""
    before = children()
    with server as given:
        started = children() - before
        places = listening(started)
        assert len(started) == len(places) == processes
        assert {host for host, _ in places} == {servers.HOST}
        yield given
    assert children() <= before
    assert not [process for process in started if process.is_running()]
    assert not [port for _, port in places if servers.accepts(port)]


@needs_servers
def test_ssh(project: Project, tmp_path: Path) -> None:
    with watched(servers.sshd(tmp_path / "ssh"), processes=1) as server:
        set_remote(project, server.url, {}, {"user": server.user, "keyfile": str(server.keyfile)})
        check_round_trip(project)
        assert len([path for path in (tmp_path / "ssh" / "store").rglob("*") if path.is_file()]) == 52


@needs_servers
def test_s3(project: Project, tmp_path: Path) -> None:
    with watched(servers.s3(tmp_path / "s3"), processes=5) as server:
        secrets = {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
        set_remote(project, f"s3://{server.bucket}/store", {"endpointurl": server.endpoint}, secrets)
        check_round_trip(project)
        assert servers.client(server).list_objects_v2(Bucket=server.bucket)["KeyCount"] == 52
        check_parts(server)


def check_parts(server: servers.S3Server) -> None:
    """An upload in parts, as s3fs makes of what is larger than one."""
    import s3fs  # type: ignore[import-untyped]

    files = s3fs.S3FileSystem(
        key=server.access_key, secret=server.secret_key, endpoint_url=server.endpoint, skip_instance_cache=True
    )
    seeded = random.Random(2)
    parts = [seeded.randbytes(size * MEBIBYTE) for size in (6, 6, 1)]
    with files.open(f"{server.bucket}/parts", "wb", block_size=5 * MEBIBYTE) as file:
        for part in parts:
            file.write(part)
    described = servers.client(server).head_object(Bucket=server.bucket, Key="parts")
    assert described["ETag"].endswith(('-2"', '-3"'))
    assert files.cat(f"{server.bucket}/parts") == b"".join(parts)


@needs_servers
def test_servers_end_with_killed_tests(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from tests.remote import servers\n"
        "with servers.sshd(pathlib.Path(sys.argv[1])):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "ssh")]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        assert tests.stdout.readline() == b"up\n"
        [server] = psutil.Process(tests.pid).children()
        tests.kill()
        server.wait(timeout=10)


@needs_servers
def test_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    log = tmp_path / "sshd.log"
    command = [servers.binary("sshd"), "-D", "-e", "-f", str(tmp_path / "none")]
    refused = pytest.raises(RuntimeError, match=r"sshd did not start \(exit 1\)\n.*none")
    with servers.free_ports(1) as [port], servers.running(command, port, log) as server, refused:
        servers.wait_for(server)


def test_required_servers_that_are_missing_are_an_error() -> None:
    code = "import shutil; shutil.which = lambda *_, **__: None; import tests.remote.servers"
    environment = {**ENVIRONMENT, "ONEPASS_REQUIRE_SERVERS": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ONEPASS_REQUIRE_SERVERS is set, but there is no setpriv, sshd" in done.stderr
