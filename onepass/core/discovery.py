"""Kinds that are found by being there: every module of a folder is imported, so that it can register what it holds."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules


def import_all(package: str, folders: Iterable[str]) -> None:
    """Imports the modules of a package in the order of their names.

    Args:
        package: its dotted name, ``__name__`` of its door.
        folders: its ``__path__``.

    """
    for module in sorted(module.name for module in iter_modules(folders)):
        import_module(f"{package}.{module}")
