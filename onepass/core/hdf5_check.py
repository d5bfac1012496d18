"""Reads an HDF5 file from elsewhere to its end, in a process of its own, which imports nothing of this project.

A damaged file can make libhdf5 loop, or ask for all memory. Here it may: the process has limits of both, and who
started it goes on. Prints what is wrong with the file, in a line, and nothing where it can be read.
"""

import resource
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import h5py

MEMORY = 4 << 30  # bytes of addresses, those of the libraries included
LARGEST_ATTRIBUTE = 1 << 20  # bytes
MOST_MEMBERS = 100_000
PIECE = 1 << 26  # bytes that are read at a time


def check(file: Any, allowed: int) -> None:
    """Reads all groups, attributes and arrays. ValueError: what is wrong; else whatever h5py raises."""
    bytes_in_all, seen = 0, set()
    for member in _members(file):
        address = h5py.h5o.get_info(member.id).addr
        if address in seen:
            raise ValueError(f"{member.name} is in it twice")
        seen.add(address)
        if len(seen) > MOST_MEMBERS:
            raise ValueError(f"it has more than {MOST_MEMBERS:,} members")
        for name in member.attrs:
            _check_attribute(member, name)
        if isinstance(member, h5py.Dataset):
            bytes_in_all += member.size * member.dtype.itemsize
            if bytes_in_all > allowed:
                raise ValueError(f"its arrays claim more than {allowed:,} bytes, too many for a file of its size")
            _read(member)


def _members(group: Any) -> Iterator[Any]:
    """The group and all that is below it; links to elsewhere are refused."""
    yield group
    for name in group if isinstance(group, h5py.Group) else ():
        if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{name} in {group.name} is a link to elsewhere, which is not followed")
        yield from _members(group[name])


def _check_attribute(member: Any, name: str) -> None:
    about = member.attrs.get_id(name)
    size = prod(about.shape or ()) * about.dtype.itemsize
    if size > LARGEST_ATTRIBUTE:
        raise ValueError(f"{member.name}: its attribute {name} claims {size:,} bytes")
    member.attrs[name]


def _read(dataset: Any) -> None:
    """The whole array, piece by piece, so that a damaged filter or chunk is met here."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} keeps its numbers in another file, which is not followed")
    if dataset.chunks and prod(dataset.chunks) > max(dataset.size, 1):
        raise ValueError(f"{dataset.name}: its chunks of {dataset.chunks} are larger than itself, {dataset.shape}")
    if not dataset.shape:
        dataset[()]
        return
    rows = max(PIECE // max(prod(dataset.shape[1:]) * dataset.dtype.itemsize, 1), 1)
    for start in range(0, dataset.shape[0], rows):
        dataset[start : start + rows]


@contextmanager
def opened(path: str, member: str) -> Iterator[Any]:
    """The HDF5 file, or the one that is a member of an archive."""
    if not member:
        with h5py.File(path, "r") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as content, h5py.File(content, "r") as file:
        yield file


def main(path: str, allowed: str, seconds: str, member: str = "") -> None:
    """Args: the file, the most bytes of its arrays, of seconds, and the member of the archive that the file is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    try:
        with opened(path, member) as file:
            check(file, int(allowed))
    except Exception as error:  # noqa: BLE001 - of a damaged file h5py raises nearly every type there is
        print(f"{type(error).__name__}: {error}".splitlines()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
