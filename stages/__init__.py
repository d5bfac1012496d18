"""The stages that DVC runs: each reads its inputs, calls ``onepass``, and writes its outputs."""

import sys
from importlib.util import find_spec

NEEDED = ("PIL", "dvc", "dvclive", "filelock", "h5py", "jinja2", "keras", "numpy", "pydantic", "scipy", "tqdm", "yaml")

if missing := [name for name in NEEDED if find_spec(name) is None]:
    raise SystemExit(
        f"onepass: {sys.executable} has no {', '.join(missing)}. Activate the project's environment first:\n"
        "    make .venv && . .venv/bin/activate"
    )
