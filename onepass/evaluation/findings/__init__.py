"""What a good colleague would notice in a run: each finding with its evidence and the param to change.

A file a family, a function a finding, registered with its rank. Thresholds carry the measurement that they come from.
"""

from onepass.evaluation.findings import learning, photos  # each registers its findings
from onepass.evaluation.findings.finding import Finding, RunFacts, find_all, read_findings, register_finding

__all__ = ["Finding", "RunFacts", "find_all", "learning", "photos", "read_findings", "register_finding"]
