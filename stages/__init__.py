"""The four stages that DVC runs, and the modules that they share."""

import sys
from importlib.util import find_spec

NEEDED = ("PIL", "dvc", "dvclive", "h5py", "jinja2", "keras", "numpy", "pydantic", "ruamel", "scipy", "sklearn", "tqdm")

if missing := [name for name in NEEDED if find_spec(name) is None]:
    raise SystemExit(
        f"onepass: {sys.executable} has no {', '.join(missing)}. Activate the project's environment first:\n"
        "    make .venv && . .venv/bin/activate"
    )
