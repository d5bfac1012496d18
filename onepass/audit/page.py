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
from onepass.report import (
    PAGES,
    Axis,
    Thumbnail,
    decimals_for,
    interval_bar,
    percent,
    render,
    round_down,
    thumbnails,
)

SHOWN = 1000  # photos of each kind
CHOICES = 20  # classes up to which each can be chosen for a photo
SIDE = 160  # pixels of a picture's longer side
SIMILAR, SIMILAR_SIDE = 2, 72  # training photos beside a suspect, and the longer side of their pictures
MAP_WIDTH, MAP_HEIGHT = 560, 360  # as in the template
MAP_SIDE = 96  # of the pictures of the map
COLOURS = 8  # classes up to which each has one on the map
SCRIPT = PAGES / "audit.js"


class Judged(NamedTuple):
    """How well a cheap head tells the classes apart."""

    kind: str
    accuracy: str
    interval: str
    bar: Markup


class Dot(NamedTuple):
    """A photo on the map."""

    x: float  # in a picture of ``MAP_WIDTH`` by ``MAP_HEIGHT``
    y: float
    colour: int  # counted from 1; 0 where there are more classes than colours
    label: str
    file: str
    picture: Thumbnail


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
    similar = {
        row.hash: audit.similar[row.hash][:SIMILAR] for kind in ("label", "evaluated") for row in shown.get(kind, [])
    }
    beside = [images[number] for numbers in similar.values() for number in numbers]
    script = SCRIPT.read_text()
    return render(
        "audit.html",
        audit=audit,
        sections=sections,
        shown=shown,
        hash_of=hash_of,
        pictures=thumbnails(root, wanted, SIDE),
        similar=similar,
        images_of=images,
        label_of=audit.labels,
        small=thumbnails(root, [(image.hash, image.file) for image in beside], SIMILAR_SIDE),
        dots=dots(audit, images, root),
        classes=audit.photos.classes if len(audit.photos.classes) <= COLOURS else [],
        heads=judged(audit),
        curve=drawn_curve(audit),
        images=len(images),
        choices=audit.photos.classes if len(audit.photos.classes) <= CHOICES else [],
        kinds=count_by_kind(sections),
        script=Markup(script),  # noqa: S704 - a file of ours
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def dots(audit: Audit, images: Sequence[Image], root: Path) -> list[Dot]:
    """The photos on the map, from left to right."""
    classes = audit.photos.classes
    chosen = [images[place.number] for place in audit.places]
    pictures = thumbnails(root, [(image.hash, image.file) for image in chosen], MAP_SIDE)
    found = []
    for place, image in zip(audit.places, chosen, strict=True):
        label = audit.labels[place.number]
        colour = classes.index(label) + 1 if len(classes) <= COLOURS else 0
        x, y = 8 + place.x * (MAP_WIDTH - 16), 8 + (1 - place.y) * (MAP_HEIGHT - 16)
        found.append(Dot(x, y, colour, label, image.file, pictures[image.hash]))
    return found


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
