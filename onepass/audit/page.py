"""The page of an audit: what stands out of the photos, with pictures, and a button that writes down what to do."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from onepass.audit.photo_audit import Audit
from onepass.audit.table import AuditRow
from onepass.photos import Image
from onepass.report import PAGES, Axis, decimals_for, interval_bar, percent, render, round_down, thumbnails

SHOWN = 1000  # photos of each kind
CHOICES = 20  # classes up to which each can be chosen for a photo
SIDE = 160  # pixels of a picture's longer side
SCRIPT = PAGES / "audit.js"


class Judged(NamedTuple):
    """How well a cheap head tells the classes apart."""

    kind: str
    accuracy: str
    interval: str
    bar: Markup


class CurveRow(NamedTuple):
    """What so many photos give, or may give."""

    images: int
    accuracy: str  # empty where it is not measured
    interval: str
    bar: Markup


def audit_page(audit: Audit, images: Sequence[Image], root: Path) -> bytes:
    """The page, UTF-8; photos may be missing.

    Args:
        images: of each image its first file.
        root: the folder to which names of photos are relative.

    """
    by_kind = audit.by_kind()
    labels = by_kind.pop("label", [])
    sections = {
        "label": [row for row in labels if row.split != audit.split],
        "evaluated": [row for row in labels if row.split == audit.split],
        **by_kind,
    }
    shown = {kind: rows[:SHOWN] for kind, rows in sections.items()}
    hash_of = {image.file: image.hash for image in images}
    wanted = [(row.hash, row.file) for rows in shown.values() for row in rows]
    wanted += [(hash_of[row.suggested], row.suggested) for row in shown.get("copy", [])]
    script = SCRIPT.read_text()
    return render(
        "audit.html",
        audit=audit,
        sections=sections,
        shown=shown,
        hash_of=hash_of,
        pictures=thumbnails(root, wanted, SIDE),
        heads=judged(audit),
        curve=drawn_curve(audit),
        images=len(images),
        choices=audit.photos.classes if len(audit.photos.classes) <= CHOICES else [],
        kinds=count_by_kind(sections),
        script=Markup(script),  # noqa: S704 - a file of ours
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def judged(audit: Audit) -> list[Judged]:
    """The accuracy of each cheap head, with its interval as text and drawn."""
    figures = [(one.kind, *one.accuracy()) for one in audit.left_out]
    across = Axis(round_down(min(low for _, _, low, _ in figures)), 1, 6, 154)
    rows = []
    for kind, accuracy, low, high in figures:
        decimals = decimals_for(high - low)
        text = " to ".join(percent(value, decimals) for value in (low, high))
        rows.append(Judged(kind, percent(accuracy, decimals), text, interval_bar(text, accuracy, low, high, across)))
    return rows


def drawn_curve(audit: Audit) -> list[CurveRow]:
    """The learning curve, a row a number of photos."""
    across = Axis(round_down(min(point.low for point in audit.curve)), 1, 6, 154)
    rows = []
    for point in audit.curve:
        decimals = decimals_for(point.high - point.low)
        text = " to ".join(percent(value, decimals) for value in (point.low, point.high))
        middle = (point.low + point.high) / 2 if point.accuracy is None else point.accuracy
        accuracy = "" if point.accuracy is None else percent(point.accuracy, decimals)
        rows.append(CurveRow(point.images, accuracy, text, interval_bar(text, middle, point.low, point.high, across)))
    return rows


def count_by_kind(sections: dict[str, list[AuditRow]]) -> dict[str, int]:
    """How many photos each section is about."""
    return {kind: len({row.hash for row in rows}) for kind, rows in sections.items()}
