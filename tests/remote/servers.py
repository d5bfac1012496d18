"""Real servers for tests of remotes: OpenSSH's sshd, and OpenStack Swift, which speaks S3.

All of them listen on loopback only, on ports that were free, keep everything in the folder they are given, and are
gone when the ``with`` block ends, or when the tests are killed. ``.ci/install-servers`` installs what they need.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

HOST = "127.0.0.1"
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/bin"])  # users' PATH may lack sbin
STORES = ("account", "container", "object")  # what Swift keeps apart, each with a server and a ring
BINARIES = ("setpriv", "sshd", "ssh-keygen", "memcached", *(f"swift-{name}-server" for name in ("proxy", *STORES)))
MODULES = ("dvc_ssh", "dvc_s3", "botocore")  # of DVC's extras
USER = pwd.getpwuid(os.geteuid()).pw_name
PATIENCE = 30  # seconds for a server to start
GRACE = 5  # seconds for a server to end by itself


def missing() -> str:
    """Why servers cannot be started here; empty if they can."""
    absent = [name for name in BINARIES if not shutil.which(name, path=PATH)]
    modules = [name for name in MODULES if not importlib.util.find_spec(name)]
    hints = [f"no {', '.join(absent)} (run .ci/install-servers)"] if absent else []
    hints += [f"no Python module {', '.join(modules)} (install dvc[ssh,s3])"] if modules else []
    return "; ".join(hints)


SERVERS_MISSING = missing()
if SERVERS_MISSING and os.environ.get("ONEPASS_REQUIRE_SERVERS"):
    raise RuntimeError(f"ONEPASS_REQUIRE_SERVERS is set, but there is {SERVERS_MISSING}")


class SshServer(NamedTuple):
    """What DVC needs to know of an SSH remote."""

    url: str
    user: str
    keyfile: Path


class S3Server(NamedTuple):
    """What DVC needs to know of an S3 remote."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str


class Server(NamedTuple):
    """A process that was started here, and where it writes what it has to say."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[SshServer]:
    """An SSH server with SFTP for the user who runs the tests, with keys of its own."""
    folder = folder.resolve()
    (folder / "store").mkdir(parents=True)
    for name in ("host_key", "client_key"):
        run(binary("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(folder / name))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's sshd confines its helpers there
    config = folder / "sshd_config"
    command = [binary("sshd"), "-D", "-e", "-f", str(config)]
    with free_ports(1) as [port]:
        config.write_text(SSHD.format(host=HOST, port=port, folder=folder))
        with running(command, port, folder / "sshd.log") as server:
            wait_for(server)
            yield SshServer(f"ssh://{HOST}:{port}{folder}/store", USER, folder / "client_key")


# UsePAM and StrictModes off: the tests' user may have no password and a temporary folder that others may write to.
# Many starts and sessions: parallel transfers, which sshd would turn away at random by default.
SSHD = """\
Port {port}
ListenAddress {host}
HostKey "{folder}/host_key"
AuthorizedKeysFile "{folder}/client_key.pub"
PidFile "{folder}/sshd.pid"
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
"""


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[S3Server]:
    """An S3 server with one empty bucket: Swift with a single copy of everything."""
    folder = folder.resolve()
    (folder / "devices" / "disk").mkdir(parents=True)
    os.setxattr(folder, "user.test", b"")  # Swift keeps objects' metadata there: better to fail here than in a push
    secret = secrets.token_hex(16)
    with free_ports(2 + len(STORES)) as [memcached, proxy, *stores], contextlib.ExitStack() as stack:
        configure(folder, memcached, proxy, stores, secret)
        user = ["-u", USER] if os.geteuid() == 0 else []  # memcached refuses to be root unless told
        command = [binary("memcached"), "-l", HOST, "-p", str(memcached), "-U", "0", "-m", "16", *user]
        servers = [stack.enter_context(running(command, memcached, folder / "memcached.log"))]
        for name, port in zip(("proxy", *STORES), (proxy, *stores), strict=True):
            command = [*python_of_swift(), "-c", IN_FOLDER, str(folder), binary(f"swift-{name}-server")]
            command += [str(folder / f"{name}.conf"), "--verbose"]  # the log on standard error too
            servers.append(stack.enter_context(running(command, port, folder / f"{name}.log")))
        for server in servers:
            wait_for(server)
        given = S3Server(f"http://{HOST}:{proxy}", "onepass:test", secret, "bucket")
        client(given).create_bucket(Bucket=given.bucket)
        yield given


def client(server: S3Server) -> Any:
    """An S3 client, as boto3 makes it."""
    import botocore.session  # type: ignore[import-untyped]

    return botocore.session.Session().create_client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    )


def python_of_swift() -> list[str]:
    """The interpreter that Swift was installed for, which is not the tests'. Isolated from variables for that one."""
    with Path(binary("swift-proxy-server")).open() as script:
        return [*script.readline().removeprefix("#!").split(), "-I"]


# Swift takes its hash settings from /etc/swift/swift.conf and has no option for another place, only this function.
IN_FOLDER = """\
import runpy, sys
from swift.common.utils import set_swift_dir
set_swift_dir(sys.argv[1])
del sys.argv[:2]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

# What swift-ring-builder does in three commands for each ring, which take seconds.
BUILD_RINGS = """\
import sys
from swift.common.ring import RingBuilder
for name, port in zip(sys.argv[3::2], sys.argv[4::2]):
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    place = {"ip": sys.argv[2], "port": int(port), "replication_ip": sys.argv[2], "replication_port": int(port)}
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "disk", "meta": "", **place})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{name}.ring.gz")
"""

# No worker processes: one process for each server. The system's log, which Swift always writes to, is the discard
# port. Long timeouts and no "error limiting": there is no second copy to turn to when a busy machine is slow, and
# nobody who later tells the container of an object that it was not told of in time.
SWIFT = """\
[DEFAULT]
bind_ip = {host}
bind_port = {port}
swift_dir = {folder}
devices = {folder}/devices
user = {user}
workers = 0
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
log_udp_host = {host}
log_udp_port = 9
conn_timeout = 10
node_timeout = 60
container_update_timeout = 60

[pipeline:main]
pipeline = {pipeline}

[app:{name}-server]
use = egg:swift#{name}
account_autocreate = true
error_suppression_limit = 1000000000
"""

FILTERS = """
[filter:proxy-logging]
use = egg:swift#proxy_logging

[filter:cache]
use = egg:swift#memcache
memcache_servers = {host}:{memcached}

[filter:s3api]
use = egg:swift#s3api
dns_compliant_bucket_names = no

[filter:tempauth]
use = egg:swift#tempauth
user_onepass_test = {secret} .admin

[filter:slo]
use = egg:swift#slo

[filter:dlo]
use = egg:swift#dlo
"""


def configure(folder: Path, memcached: int, proxy: int, stores: Sequence[int], secret: str) -> None:
    """Writes Swift's configuration files and rings."""
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
    common = {"host": HOST, "folder": folder, "user": USER}
    for name, port in zip(STORES, stores, strict=True):
        config = SWIFT.format(name=name, port=port, pipeline=f"{name}-server", **common)
        (folder / f"{name}.conf").write_text(config)
    pipeline = "proxy-logging cache s3api tempauth slo dlo proxy-server"
    config = SWIFT.format(name="proxy", port=proxy, pipeline=pipeline, **common)
    (folder / "proxy.conf").touch(mode=0o600)  # it holds the key
    (folder / "proxy.conf").write_text(config + FILTERS.format(host=HOST, memcached=memcached, secret=secret))
    places = [word for name, port in zip(STORES, stores, strict=True) for word in (name, str(port))]
    run(*python_of_swift(), "-c", BUILD_RINGS, str(folder), HOST, *places)


def binary(name: str) -> str:
    """The program's full path; sshd insists on being called by it."""
    path = shutil.which(name, path=PATH)
    if path is None:
        raise FileNotFoundError(f"no {name}: {SERVERS_MISSING}")
    return path


def run(*command: str) -> None:
    """Runs a command to its end; what it said is in the error if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: exit {done.returncode}\n{done.stdout}")


@contextlib.contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Ports that nobody else is given while the block runs.

    The sockets stay bound, so that the system hands their ports to no other; since they never listen, a server
    may bind the same port, as long as it allows addresses to be reused, which all of them do.
    """
    with contextlib.ExitStack() as stack:
        holders = [stack.enter_context(socket.socket()) for _ in range(count)]
        for holder in holders:
            holder.bind((HOST, 0))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield [holder.getsockname()[1] for holder in holders]


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[Server]:
    """A server in the background, ended with all its children when the block ends."""
    # setpriv replaces itself with the server, which is told to end when the tests die without a chance to end it.
    guarded = [binary("setpriv"), "--pdeathsig", "TERM", *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            guarded, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield Server(process, port, log)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its children (sshd has one for each connection), politely at first."""
    if process.poll() is not None:
        return  # its number may be another's by now
    leader = psutil.Process(process.pid)
    family = [leader, *leader.children(recursive=True)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)
        _, family = psutil.wait_procs(family, timeout=GRACE)
    process.wait()  # for Popen to know


def wait_for(server: Server) -> None:
    """Returns when the server accepts connections."""
    end = time.monotonic() + PATIENCE
    while not accepts(server.port):
        if server.process.poll() is not None or time.monotonic() > end:
            said = server.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{server.log.stem} did not start (exit {server.process.returncode})\n{said}")
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
