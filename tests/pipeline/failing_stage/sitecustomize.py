"""On PYTHONPATH, this ends the process of the stage that FAILING names before it begins, as a lack of memory would.

Python imports a module of this name by itself, in every process; a stage may also begin in a fork of one.
"""

import os
import runpy
import sys
from typing import Any

run_it: Any = runpy.run_module


def unless_it_fails(name: str, *arguments: Any, **options: Any) -> Any:
    """Instead of ``runpy.run_module``."""
    if name == os.environ["FAILING"]:
        os._exit(1)
    return run_it(name, *arguments, **options)


runpy.run_module = unless_it_fails  # type: ignore[assignment]
if os.environ["FAILING"] in sys.orig_argv:
    os._exit(1)
