"""A real cluster of Ray on this machine: raylets as if on machines of their own, each with one core to give."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from tests.builders import ENVIRONMENT
from tests.remote.namespaces import machines

PATIENCE = 60  # seconds for a node to start


class Node:
    """A raylet with its workers."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def kill(self) -> None:
        """All of it at once, as when the machine loses its power."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)
        self.process.wait()


class Cluster:
    """Its address for drivers, and its nodes; the first one is the head."""

    def __init__(self, address: str, inside: list[str], nodes: list[Node]) -> None:
        self.address = address
        self.inside = inside  # what stands before the command of a driver
        self.nodes = nodes

    @property
    def environment(self) -> dict[str, str]:
        """With which a stage gives its work to it."""
        return {"ONEPASS_WORKERS": "ray", "RAY_ADDRESS": self.address}


@contextlib.contextmanager
def ray_cluster(nodes: int, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """Ends with the block.

    Args:
        environment: of all workers, beside that of the tests.

    """
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # short: paths of sockets have at most 107 bytes
    started: list[Node] = []
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = holder.getsockname()[1]
    with machines(nodes) as places:
        head = places[0]
        address = f"{head.address}:{port}"
        try:
            for number, place in enumerate(places):
                first = ["--head", f"--port={port}", "--include-dashboard=false"]
                there = first if place is head else [f"--address={address}"]
                there += [f"--node-ip-address={place.address}", "--num-cpus=1", f"--temp-dir={folder}/{number}"]
                started.append(_start(place.inside, there, folder / f"{number}.log", environment))
            _wait(head.inside, address, nodes, started)
            yield Cluster(address, head.inside, started)
        finally:
            for node in reversed(started):
                if node.process.poll() is None:
                    node.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _start(inside: list[str], arguments: list[str], log: Path, environment: Mapping[str, str]) -> Node:
    command = [*inside, f"{Path(sys.executable).parent}/ray", "start", "--block", "--disable-usage-stats", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**ENVIRONMENT, **environment}, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    # One after the other: two that begin at the same time in one folder can take the same ports.
    end = time.monotonic() + PATIENCE
    while b"Ray runtime started" not in log.read_bytes():
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    return Node(process, log)


def _wait(inside: list[str], address: str, nodes: int, started: list[Node]) -> None:
    count = "import ray, sys; ray.init(sys.argv[1], logging_level='ERROR'); print(sum(n['Alive'] for n in ray.nodes()))"
    end = time.monotonic() + PATIENCE
    while True:
        command = [*inside, sys.executable, "-c", count, address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.stdout.strip() == str(nodes):
            return
        logs = "\n".join(node.log.read_text() for node in started)
        assert time.monotonic() < end, f"{done.stdout}{done.stderr}\n{logs}"
        time.sleep(0.5)
