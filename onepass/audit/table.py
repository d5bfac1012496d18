"""audit.csv: a row for each thing about a photo that a person should look at."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from onepass.core import UserError, write_csv

KINDS = ("label", "copy", "outlier", "dark", "blurred", "tiny", "long")


class AuditRow(NamedTuple):
    """What stands out of a photo. In the file, the worst of each kind comes first."""

    hash: str
    file: str
    split: str
    label: str
    kind: str  # of KINDS
    suggested: str  # label: the class that is probably right; copy: the file of the other photo; else empty
    # label: how sure that it is wrong, 0..1; copy: cosine of the features; outlier: distance to its neighbours, 0..2;
    # dark: mean brightness of 255; blurred: detail; tiny: pixels of the shorter side; long: times as long as wide
    score: float


def write_audit(path: Path, rows: Iterable[AuditRow]) -> None:
    """Writes the table."""
    write_csv(path, AuditRow._fields, in_order(rows))


def in_order(rows: Iterable[AuditRow]) -> list[AuditRow]:
    """Sorted by kind, and there by how bad it is."""
    return sorted(rows, key=_order)


def _order(row: AuditRow) -> tuple[int, float, str, str]:
    small_is_bad = row.kind in ("dark", "blurred", "tiny")
    return KINDS.index(row.kind), row.score if small_is_bad else -row.score, row.file, row.suggested


def read_audit(path: Path) -> list[AuditRow]:
    """The rows of the table. UserError: there is none, or it is another one."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, []) != list(AuditRow._fields):
                raise ValueError(f"expected the columns {', '.join(AuditRow._fields)}")
            return [AuditRow._make([*cells[:6], float(cells[6])]) for cells in reader]
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise UserError(f"{path} cannot be read: {error}. `dvc repro data/probe/dvc.yaml` writes it.") from error
