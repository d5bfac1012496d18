"""What can be tried is what was named, else what lies in its place; nothing is guessed that cannot be known."""

import json
from pathlib import Path

import pytest

from onepass.core import UserError
from onepass.params import BackboneParams
from onepass.selection import backbones_at_hand, candidates_of
from tests.hostile.onnx_files import SIDE, network

DIGITS = BackboneParams(name="custom", weights="data/digits/backbone.keras", layer="features", preprocess="rescale")
OWN = BackboneParams(name="VGG16", weights="vgg.h5", layer="block5_pool")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/weights").mkdir(parents=True)
    (tmp_path / "data/imagenet").mkdir()
    return tmp_path


def found(*named: str, committed: BackboneParams = DIGITS, digits: bool = False) -> list[tuple[str, str, str]]:
    known = backbones_at_hand(named, committed, digits)
    return [(backbone.label, backbone.params.name, backbone.params.weights) for backbone in known]


def test_what_lies_in_its_place_is_at_hand_and_the_network_of_the_digits_is_for_digits(folder: Path) -> None:
    (folder / "data/weights/ours.keras").touch()
    (folder / "data/imagenet/MobileNetV2.weights.h5").touch()
    others = [
        ("MobileNetV2", "MobileNetV2", "data/imagenet/MobileNetV2.weights.h5"),
        ("ours", "custom", "data/weights/ours.keras"),
    ]
    assert found() == others
    assert found(committed=OWN) == [("VGG16", "VGG16", "vgg.h5"), *others]
    assert found(digits=True) == [("backbone", "custom", "data/digits/backbone.keras")]


def test_where_nothing_is_at_hand_a_small_one_is_fetched() -> None:
    assert found() == [("MobileNet", "MobileNet", "data/imagenet/MobileNet.weights.h5")]
    assert backbones_at_hand([], DIGITS, False)[0].is_to_be_fetched


def test_only_what_was_named_is_tried(folder: Path) -> None:
    (folder / "data/weights/ours.keras").touch()
    (folder / "mobilenet_1_0_224_notop.weights.h5").touch()
    (folder / "mine.h5").touch()
    assert found("mobilenet_1_0_224_notop.weights.h5", "ResNet50=mine.h5", "VGG19") == [
        ("MobileNet", "MobileNet", "mobilenet_1_0_224_notop.weights.h5"),
        ("ResNet50", "ResNet50", "mine.h5"),
        ("VGG19", "VGG19", "data/imagenet/VGG19.weights.h5"),
    ]


def test_labels_differ_and_are_names_for_git(folder: Path) -> None:
    for name in ("a b.keras", "a:b.keras"):
        (folder / name).touch()
    assert [label for label, _, _ in found("a b.keras", "a:b.keras")] == ["a_b", "a_b-2"]


def test_a_keras_file_does_not_say_how_its_pixels_were_prepared(folder: Path) -> None:
    (folder / "ours.keras").touch()
    (backbone,) = backbones_at_hand(["ours.keras"], DIGITS, False)
    assert backbone.preprocess == ("caffe", "tf", "torch", "rescale")
    (known,) = backbones_at_hand([], OWN, False)
    assert known.preprocess == ("native",)


def test_a_network_in_an_onnx_file_is_pooled_as_its_output_asks_for(folder: Path) -> None:
    (folder / "net.onnx").write_bytes(network().SerializeToString())
    (lone,) = backbones_at_hand(["net.onnx"], DIGITS, False)
    assert (lone.label, lone.params.name, lone.of_output) == ("net", "onnx", "avg")
    assert lone.preprocess == ("caffe", "tf", "torch", "rescale")
    (folder / "told").mkdir()
    (folder / "told/model.onnx").write_bytes(network().SerializeToString())
    config = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": SIDE, "width": SIDE}}
    (folder / "told/preprocessor_config.json").write_text(json.dumps(config))
    (told,) = backbones_at_hand(["told"], DIGITS, False)
    assert (told.preprocess, told.params.weights, told.of_output) == (("native",), "told", "avg")
    assert [(one.params.pooling, one.params.layer) for one in candidates_of([told], [])] == [("avg", "last")]


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        (
            "VGG17",
            "backbone VGG17: allowed: a .keras, .onnx or .h5 file, a folder of an .onnx file or of a preset, NAME,",
        ),
        ("none.keras", "none.keras does not exist. Give the path of a .h5, .keras or .onnx file."),
        ("VGG16=none.h5", "none.h5 does not exist"),
        (
            "mine.h5",
            "mine.h5: a .h5 file holds weights and does not say which network they fill. Give NAME=",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(folder: Path, named: str, complaint: str) -> None:
    (folder / "mine.h5").touch()
    with pytest.raises(UserError, match=complaint):
        found(named)
