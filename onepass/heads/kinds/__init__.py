"""The kinds of heads, a file each; a new one is found by being there.

Each says which keys of head and train it reads, and registers how it is fitted.
"""

from onepass.core import import_all

import_all(__name__, __path__)
