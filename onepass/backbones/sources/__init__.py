"""Where backbones come from: a file a source; a new one is found by being there.

Each says which values of ``backbone.name`` mean it, checks the params that it takes, and loads its network.
"""

from onepass.core import import_all

import_all(__name__, __path__)
