"""Keras Hub, an extra: imported where a network of it is loaded."""

import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from onepass.core import KERAS_CONFIG, UserError, first_line, read_archived_text

PACKAGE, MODULE = "keras-hub", "keras_hub"
TEXT = "tensorflow_text"  # of no use for images, slow to import, and made for one version of TensorFlow each
ASKED = ("keras", "tensorflow")


def keras_hub() -> Any:
    """The package. UserError: it is not installed, or does not go with the Keras and TensorFlow that are."""
    modules: dict[str, Any] = sys.modules
    without_text = TEXT not in modules
    if without_text:
        modules[TEXT] = None  # Python's mark for "not installed"
    try:
        import keras_hub as hub  # noqa: PLC0415 - an extra
    except Exception as error:  # of versions that do not go together, it may be any
        raise UserError(f"Keras Hub cannot be imported: {first_line(error)}. {_what_to_do()}") from error
    finally:
        if without_text:
            del modules[TEXT]
    return hub


def import_what_needs_keras_hub(path: Path) -> None:
    """Makes layers of Keras Hub known to Keras, where a .keras file has some. UserError: as ``keras_hub``."""
    if f'"{MODULE}.'.encode() in read_archived_text(path, KERAS_CONFIG):
        keras_hub()


def _what_to_do() -> str:
    """Which versions are here and which are wanted, or how to install it."""
    try:
        wanted = [Requirement(line) for line in requires(PACKAGE) or ()]
        here = {name: version(name) for name in ASKED}
        found = f"{PACKAGE} {version(PACKAGE)} is here with {', '.join(f'{name} {here[name]}' for name in here)}"
    except PackageNotFoundError:
        return "`make install EXTRA=hub` installs it."
    unmet = [one for one in wanted if one.name in here and not one.specifier.contains(here[one.name])]
    if unmet:
        return f"{found}, and wants {', '.join(map(str, unmet))}. Install versions that go together."
    return f"{found}. `make install EXTRA=hub` installs versions that go together."
