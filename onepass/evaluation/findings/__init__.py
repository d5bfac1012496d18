"""What a good colleague would notice in a run: each finding with its evidence and the param to change.

A file a family, a function a finding, registered with its rank; a new file is found by being there. Thresholds carry
the measurement that they come from.
"""

from onepass.core import import_all
from onepass.evaluation.findings.finding import Finding, RunFacts, find_all, read_findings, register_finding

__all__ = ["Finding", "RunFacts", "find_all", "read_findings", "register_finding"]

import_all(__name__, __path__)
