"""audit.csv, and what is measured of photos."""

from pathlib import Path

import numpy as np
import pytest

from onepass.audit import AuditRow, read_audit, write_audit
from onepass.audit.flaws import SIDE, flaws_of_pixels, flaws_of_size
from onepass.core import UserError


def row(kind: str, score: float, file: str = "a.jpg") -> AuditRow:
    return AuditRow("0" * 64, file, "train", "cats", kind, "", score)


def test_the_worst_of_each_kind_comes_first_and_what_is_written_is_read(tmp_path: Path) -> None:
    rows = [row("tiny", 9), row("label", 0.9), row("copy", 0.8), row("tiny", 3), row("label", 0.99, "x\udcff,\r.jpg")]
    write_audit(tmp_path / "audit.csv", rows)
    found = read_audit(tmp_path / "audit.csv")
    assert [(one.kind, one.score) for one in found] == [
        ("label", 0.99),
        ("label", 0.9),
        ("copy", 0.8),
        ("tiny", 3),
        ("tiny", 9),
    ]
    assert sorted(found) == sorted(rows)


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audit.csv").write_text("hash,file\n")
    with pytest.raises(UserError, match="expected the columns hash, file, split, label, kind, suggested, score"):
        read_audit(tmp_path / "audit.csv")


@pytest.mark.parametrize(
    ("width", "height", "flaws"),
    [(500, 375, []), (80, 60, [("tiny", 60)]), (1200, 300, [("long", 4.0)]), (75, 75, []), (300, 900, [])],
)
def test_flaws_of_size(width: int, height: int, flaws: list[tuple[str, float]]) -> None:
    assert list(flaws_of_size(width, height, 150)) == flaws


def test_flaws_of_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    assert list(flaws_of_pixels(noise, enlarged=False)) == []
    ((kind, brightness),) = flaws_of_pixels(noise // 16, enlarged=False)
    assert kind == "dark"
    assert brightness == pytest.approx(7.5, abs=0.5)
    smooth = np.broadcast_to(np.linspace(60, 200, SIDE).astype(np.uint8)[:, None, None], noise.shape)
    assert [kind for kind, _ in flaws_of_pixels(smooth, enlarged=False)] == ["blurred"]
    assert list(flaws_of_pixels(smooth, enlarged=True)) == []
