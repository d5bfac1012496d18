"""Network namespaces: each as a machine of its own, with an address that nothing outside of them reaches."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

TOOL = shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class Machine(NamedTuple):
    """Where a server may listen, and how a command is run there."""

    address: str
    inside: list[str]  # what stands before a command; nothing where there are no namespaces


@contextlib.contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """As many, which reach one another; addresses of loopback where the system allows no namespaces."""
    names = [f"op{os.getpid()}n{number}" for number in range(1, count + 1)]
    bridge = f"op{os.getpid()}b"
    try:
        _joined(bridge, names)
        yield [Machine(f"10.77.0.{n}", [str(TOOL), "netns", "exec", name]) for n, name in enumerate(names, start=1)]
    except PermissionError:
        yield [Machine(f"127.0.0.{n}", []) for n in range(1, count + 1)]
    finally:
        for command in (
            *(["netns", "delete", name] for name in names),
            *(["link", "delete", n] for n in (bridge, *names)),
        ):
            with contextlib.suppress(PermissionError):
                _ip(*command)


def _joined(bridge: str, names: list[str]) -> None:
    """Namespaces with a cable each to a bridge, which has no address. PermissionError: none of it is allowed here."""
    _ip("link", "add", bridge, "type", "bridge")
    _ip("link", "set", bridge, "up")
    for number, name in enumerate(names, start=1):
        _ip("netns", "add", name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", name, "master", bridge, "up")
        for command in (f"addr add 10.77.0.{number}/24 dev eth0", "link set eth0 up", "link set lo up"):
            _ip("-n", name, *command.split())


def _ip(*arguments: str) -> None:
    if not TOOL or subprocess.run([TOOL, *arguments], capture_output=True, check=False).returncode:
        raise PermissionError(f"ip {' '.join(arguments)}")
