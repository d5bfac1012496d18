"""A model that is made from an earlier one's file has the very bytes that TensorFlow would have written."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from onepass.backbones import Backbone
from onepass.heads import TrainedHead
from onepass.model import write_model
from onepass.model.templates import KEPT, find_template
from tests.builders import ROOT, backbone
from tests.unit.heads.small_heads import LIMITS, knowing

CLASSES = ["ant", "bee", "cät"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a cache of its own."""
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def head(seed: int, activation: str = "softmax", hidden: tuple[int, ...] = (), classes: int = 3) -> TrainedHead:
    """A head with random arrays for 8 values."""
    random = np.random.default_rng(seed)
    sizes = [8, *hidden, 1 if activation == "sigmoid" else classes]
    arrays = [
        random.normal(size=shape).astype(np.float32)
        for size, after in pairwise(sizes)
        for shape in ((size, after), (after,))
    ]
    return TrainedHead(CLASSES[:classes], activation, 1.0, "avg", weights=arrays)


def tiny(path: Path) -> Backbone:
    return backbone(weights=str(path), layer="late", image_side=16)


@pytest.mark.parametrize(
    ("activation", "hidden", "classes"), [("softmax", (), 3), ("sigmoid", (), 2), ("softmax", (5, 4), 2)]
)
@pytest.mark.parametrize("knows", [False, True])
def test_the_bytes_are_those_of_tensorflow(
    tiny_backbone: Path, folder: Path, activation: str, hidden: tuple[int, ...], classes: int, knows: bool
) -> None:
    network = tiny(tiny_backbone)
    one, other = (head(seed, activation, hidden, classes) for seed in (1, 2))
    if knows:
        one, other = knowing(one, 8), knowing(other, 8)
        limits = LIMITS.model_copy(update={"sure": 0.7})
        other = other._replace(limits=limits, prototypes=np.eye(9, 8, dtype=np.float32))
    other = other._replace(classes=[f"new {name}" for name in other.classes])
    write_model(folder / "one.keras", network, one)
    assert find_template(network, other).is_file()
    write_model(folder / "other.keras", network, other)
    find_template(network, other).unlink()
    write_model(folder / "by-tensorflow.keras", network, other)
    content = (folder / "other.keras").read_bytes()
    assert content == (folder / "by-tensorflow.keras").read_bytes() != (folder / "one.keras").read_bytes()


def test_a_second_model_imports_no_tensorflow(tiny_backbone: Path, folder: Path) -> None:
    write_model(folder / "one.keras", tiny(tiny_backbone), head(1))
    script = (
        "import sys, pathlib, onepass; sys.modules['tensorflow'] = None\n"
        "from tests.unit.model.test_templates import head, tiny\nfrom onepass.model import write_model\n"
        f"write_model(pathlib.Path('two.keras'), tiny(pathlib.Path({str(tiny_backbone)!r})), head(2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "two.keras").is_file()


def test_what_decides_the_layers_decides_the_template(tiny_backbone: Path) -> None:
    network, one = tiny(tiny_backbone), head(1)
    assert find_template(network, one) == find_template(network, head(2))
    others = [
        find_template(backbone(weights=str(tiny_backbone), layer="early", image_side=16), one),
        find_template(backbone(weights=str(tiny_backbone), layer="late", image_side=32), one),
        find_template(replace(network, storage="float16"), one),
        find_template(network, head(1, classes=2)),
        find_template(network, one._replace(pooling="max")),
        find_template(network, one._replace(unit_length=True)),
        find_template(network, knowing(one, 8)),
    ]
    assert len({find_template(network, one), *others}) == 8


def test_a_damaged_template_is_made_anew(tiny_backbone: Path, folder: Path) -> None:
    network = tiny(tiny_backbone)
    write_model(folder / "one.keras", network, head(1))
    template = find_template(network, head(1))
    sound = template.read_bytes()
    for damaged in (b"", sound[: len(sound) // 2], sound.replace(b"model.weights.h5", b"model.weights.h6")):
        template.write_bytes(damaged)
        write_model(folder / "again.keras", network, head(1))
        assert (folder / "again.keras").read_bytes() == sound
        assert template.read_bytes() == sound


def test_only_a_few_are_kept(tiny_backbone: Path, folder: Path) -> None:
    for side in range(16, 16 + KEPT + 2):
        network = backbone(weights=str(tiny_backbone), layer="late", image_side=side)
        write_model(folder / "model.keras", network, head(1))
    assert len(list(find_template(network, head(1)).parent.iterdir())) == KEPT
