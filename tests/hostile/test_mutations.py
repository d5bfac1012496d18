"""Whatever happens to the bytes of what a stage wrote, it is refused, or read as what was written.

Each mutation is one of ``mutated``; the dice are seeded, so that a failure can be repeated.
"""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.comparison.lock import Lock
from onepass.core import UserError, check_recorded, write_sealed_json
from onepass.features import FINGERPRINT_FILE, DamagedPartError, Store, open_store
from onepass.features.rows import make_rows, pack
from onepass.features.versions import Record, parse_record
from tests.builders import Project
from tests.hostile.mutations import mutated

EACH = int(os.environ.get("ONEPASS_MUTATIONS", "60"))  # mutations of each file
HASHES = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(12)]
TABLES = [
    "data/weights.json",
    "data/prepared/images.csv",
    "data/prepared/splits.csv",
    "data/prepared/wanted_views.txt",
    "data/prepared/quarantine.csv",
    "data/prepared/decoding.json",
    "data/head/head.json",
    "data/head/weights.npz",
    "data/head/prototypes.npy",
    "data/model.keras",
    "metrics/metrics.json",
    "metrics/predictions.csv",
    "metrics/classes.csv",
    "metrics/training/plots/metrics/train/loss.tsv",
]


def refused(read: Callable[[], Any]) -> bool:
    """Whether reading ends in a message for people; anything but that fails the test."""
    try:
        read()
    except (UserError, DamagedPartError) as error:
        assert str(error)
        return True
    return False


def store() -> Store:
    return Store(12, "float32", [5], {"layer": "late", "precision": "float32"}, "0" * 64)


def test_no_damaged_part_of_the_features_gives_a_row() -> None:
    features = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    content = pack(make_rows(sorted(HASHES), features, store().key))
    store().unpack(content, "part")
    for other in mutated(content, 1, 4 * EACH):
        assert refused(partial(store().unpack, other, "part")), other


def test_no_damaged_fingerprint_is_believed(tmp_path: Path) -> None:
    write_sealed_json(tmp_path / FINGERPRINT_FILE, store()._asdict())
    assert open_store(tmp_path) == store()
    content = (tmp_path / FINGERPRINT_FILE).read_bytes()
    for other in mutated(content, 2, 2 * EACH):
        (tmp_path / FINGERPRINT_FILE).write_bytes(other)
        assert refused(lambda: open_store(tmp_path)), other


def test_a_damaged_record_of_versions_vouches_for_no_row(tmp_path: Path) -> None:
    record = Record(environments=[{"processor": "one", "pillow": "12.0"}])
    record.write(tmp_path / "versions.json")
    content = (tmp_path / "versions.json").read_bytes()
    assert parse_record(content) == record
    for other in mutated(content, 3, 2 * EACH):
        assert parse_record(other) == Record(), other


def test_no_damaged_output_of_a_stage_is_believed(
    pixels_done: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = pixels_done.copy(tmp_path / "project")
    monkeypatch.chdir(project.folder)
    for number, name in enumerate(TABLES):
        path = Path(name)
        content = path.read_bytes()
        check_recorded(path)
        path.chmod(0o644)
        for other in mutated(content, number, EACH):
            path.write_bytes(other)
            assert refused(partial(check_recorded, path)), (name, other)
        path.write_bytes(content)


def test_a_damaged_lock_vouches_for_no_output(
    pixels_done: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may say less, or that a stage had other params: then DVC runs that stage again."""
    project = pixels_done.copy(tmp_path / "project")
    monkeypatch.chdir(project.folder)
    content = Path("dvc.lock").read_bytes()
    accepted = 0
    for other in mutated(content, 5, 2 * EACH):
        Path("dvc.lock").write_bytes(other)
        refused(lambda: check_recorded(Path("data"), Path("metrics")))
        try:
            found = Lock(other)
        except UserError:
            continue
        assert isinstance(found.recipe, str)
        assert found.sources.keys() & found.params.keys() == set()
        accepted += 1
    assert 0 < accepted < EACH  # DVC reads such a file, too, and runs again what it no longer knows
