"""Who computes: this process, or actors on the machines of a team. It changes no byte of the result, so it is no param.

``ONEPASS_WORKERS`` says who; a file a kind of workers, and a new one is found by being there.
"""

from onepass.core import import_all
from onepass.features.workers.workers import Compute, Workers, chosen_workers, register_workers

__all__ = ["Compute", "Workers", "chosen_workers", "register_workers"]

import_all(__name__, __path__)
