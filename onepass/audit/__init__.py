"""What to trust and what to fix: all photos looked at once more, by the features that are stored already.

How well cheap heads tell the classes apart (``repeated_cross_validation``), labels that are probably wrong
(``label_suspects``), photos that show the same (``copies``) or nothing of the kind (``outliers``), and ``flaws`` of the
photos themselves. ``photo_audit`` puts them together, ``table`` owns audit.csv, ``left_out`` what the heads said,
``page`` shows it to people. Changes nothing.
"""

from onepass.audit.copies import find_copies, groups_of
from onepass.audit.label_suspects import are_suspect, without_doubted
from onepass.audit.left_out import write_left_out
from onepass.audit.neighbours import Neighbours, directions, nearest
from onepass.audit.outliers import are_outliers, distances
from onepass.audit.page import audit_page
from onepass.audit.photo_audit import Accuracies, Audit, audit_photos
from onepass.audit.repeated_cross_validation import FeatureTable, LeftOut, cross_validate
from onepass.audit.table import AuditRow, read_audit, write_audit

__all__ = [
    "Accuracies",
    "Audit",
    "AuditRow",
    "FeatureTable",
    "LeftOut",
    "Neighbours",
    "are_outliers",
    "are_suspect",
    "audit_page",
    "audit_photos",
    "cross_validate",
    "directions",
    "distances",
    "find_copies",
    "groups_of",
    "nearest",
    "read_audit",
    "without_doubted",
    "write_audit",
    "write_left_out",
]
