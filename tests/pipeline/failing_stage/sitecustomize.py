"""On PYTHONPATH, this ends the process of the stage that FAILING names before it begins, as a lack of memory would.

Python imports a module of this name by itself, in every process.
"""

import os
import sys

if os.environ["FAILING"] in sys.orig_argv:
    os._exit(1)
