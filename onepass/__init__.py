"""onepass: every image passes the backbone once; everything after that takes seconds.

docs/architecture.md has the map of these packages, and the ten words that they use.
"""

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from onepass.notebook import LoadedPhotos

NEEDED = (
    "PIL", "click", "dvc", "filelock", "fsspec", "h5py", "jinja2", "keras", "markupsafe", "matplotlib", "numpy",
    "packaging", "psutil", "pydantic", "ruamel", "scipy", "sklearn", "tabulate", "tensorflow", "threadpoolctl", "tqdm",
    "yaml",
)  # fmt: skip

if missing := [name for name in NEEDED if find_spec(name) is None]:
    raise SystemExit(
        f"onepass: {sys.executable} has no {', '.join(missing)}. Activate the project's environment first:\n"
        "    make .venv && . .venv/bin/activate"
    )


def load(folder: "str | Path" = ".") -> "LoadedPhotos":
    """The photos of a project as numpy arrays, for notebooks: see ``onepass.notebook``.

    Args:
        folder: of the project, in which `dvc repro` has run.

    """
    from onepass.notebook import load_photos  # noqa: PLC0415 - most who import a module of this package never load

    return load_photos(folder)
