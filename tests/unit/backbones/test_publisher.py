"""What a publisher says beside the weights is what native means."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.backbones.publisher import Told, as_published, told_beside
from onepass.core import UserError
from onepass.params import BackboneParams, ParamsError
from tests.builders import backbone

HUGGING_FACE = {
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "rescale_factor": 1 / 255,
    "size": {"shortest_edge": 256},
    "resample": 3,
}
TIMM = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "input_size": [3, 224, 224]}


def told(folder: Path, name: str, content: Any) -> Told:
    (folder / name).write_text(json.dumps(content))
    return told_beside(folder)


@pytest.mark.parametrize(
    ("changes", "side", "resize", "crop", "interpolation"),
    [
        ({"do_center_crop": True, "crop_size": {"height": 224}}, 224, "crop", 0.875, "bicubic"),  # DINOv2
        ({"do_center_crop": True, "crop_size": 224, "size": 256, "resample": 2}, 224, "crop", 0.875, "bilinear"),
        ({"size": {"height": 224, "width": 224}}, 224, "stretch", None, "bicubic"),  # SigLIP
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, 224, "crop", 0.875, "bicubic"),  # ConvNeXt
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, 384, "stretch", None, "bicubic"),
        ({"size": {"height": 224, "width": 224}, "resample": 1}, 224, "stretch", None, None),
        ({"do_center_crop": True, "crop_size": {"height": 300}}, 300, None, None, "bicubic"),  # larger than it has
        ({"size": {"shortest_edge": 224}, "resample": None}, 224, None, None, None),  # no square
    ],
)  # fmt: skip
def test_hugging_face(
    changes: Any, side: int, resize: str | None, crop: float | None, interpolation: str | None, tmp_path: Path
) -> None:
    found = told(tmp_path, "preprocessor_config.json", {**HUGGING_FACE, **changes})
    assert found[1:] == (side, resize, crop, interpolation)
    assert found.mode is not None
    np.testing.assert_allclose([*found.mode.mean, *found.mode.scale], 127.5)


@pytest.mark.parametrize(
    ("changes", "resize", "crop", "interpolation"),
    [
        ({"crop_pct": 0.9, "interpolation": "bicubic"}, "crop", 0.9, "bicubic"),
        ({"crop_pct": 1.0, "crop_mode": "squash", "interpolation": "bilinear"}, "stretch", None, "bilinear"),
        ({"crop_pct": 0.9, "crop_mode": "border", "interpolation": "random"}, None, None, None),
        ({}, None, None, None),
    ],
)
def test_timm(changes: Any, resize: str | None, crop: float | None, interpolation: str | None, tmp_path: Path) -> None:
    found = told(tmp_path, "config.json", {"architecture": "net", "pretrained_cfg": {**TIMM, **changes}})
    assert found[1:] == (224, resize, crop, interpolation)


@pytest.mark.parametrize(
    ("config", "factor", "added", "resize"),
    [
        ({"scale": None, "offset": None, "crop_to_aspect_ratio": False}, [1, 1, 1], [0, 0, 0], "stretch"),
        ({"scale": 0.5, "offset": -1}, [0.5] * 3, [-1] * 3, "crop"),
        (
            {"scale": [0.5, 1, 2], "crop_to_aspect_ratio": False, "pad_to_aspect_ratio": True},
            [0.5, 1, 2],
            [0] * 3,
            None,
        ),
        (
            {"scale": 1 / 255, "mean": [0.4, 0.5, 0.6], "variance": [0.04, 0.09, 0.16], "height": 32, "width": 32},
            [1 / 255 / deviation for deviation in (0.2, 0.3, 0.4)],
            [-0.4 / 0.2, -0.5 / 0.3, -0.6 / 0.4],
            "crop",
        ),
    ],
)
def test_keras_hub(config: Any, factor: list[float], added: list[float], resize: str | None, tmp_path: Path) -> None:
    found = told(tmp_path, "image_converter.json", {"config": {**config, "interpolation": "bicubic"}})
    assert found[1:] == (config.get("height"), resize, 1.0 if resize == "crop" else None, "bicubic")
    assert found.mode is not None
    pixels = np.array([0.0, 17.0, 255.0])
    for channel in range(3):
        seen = (pixels - found.mode.mean[channel]) / found.mode.scale[channel]
        np.testing.assert_allclose(seen, pixels * factor[channel] + added[channel], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preprocessor_config.json", "{"),
        ("preprocessor_config.json", '{"image_mean": "grey"}'),
        ("preprocessor_config.json", "[]"),
        ("config.json", '{"pretrained_cfg": {}}'),
        ("image_converter.json", '{"config": {"scale": 0}}'),
        ("image_converter.json", '{"config": {"scale": [1, 2]}}'),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=rf"{name} does not say how images are prepared: .* Give backbone.preprocess"):
        told_beside(tmp_path)


def test_what_nobody_says_is_asked_for_and_what_is_given_is_not_overruled() -> None:
    given: dict[str, Any] = {"name": "onnx", "weights": "net", "image_side": 32, "preprocess": "tf"}
    params = BackboneParams(**given, resize="crop", crop_fraction=0.5, interpolation="bicubic")
    found = as_published(params, Told(None, 224, "stretch", None, "bilinear"), 224)
    assert (found["side"], found["crop"], found["interpolation"]) == (32, 0.5, "bicubic")
    for key, allowed in (("resize", "stretch, crop"), ("interpolation", "bilinear, bicubic"), ("image_side", "pixels")):
        with pytest.raises(UserError, match=rf"backbone\.{key}: native given, but net .*{allowed}"):
            as_published(params.model_copy(update={key: "native"}), Told(), None)


def test_only_who_reads_a_publishers_file_takes_native() -> None:
    for key, allowed in (("resize", "stretch, crop"), ("interpolation", "bilinear, bicubic")):
        with pytest.raises(
            ParamsError, match=rf"backbone\.{key}: native given, which name: VGG16 .* allowed: {allowed}"
        ):
            backbone(name="VGG16", weights="net.h5", **{key: "native"})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preprocessor_config.json", {**HUGGING_FACE, "size": 100_000, "do_center_crop": True, "crop_size": 1}),
        ("preprocessor_config.json", {**HUGGING_FACE, "crop_pct": 1e-9, "size": 1}),
        ("config.json", {"pretrained_cfg": {**TIMM, "crop_pct": 0.01}}),
        ("config.json", {"pretrained_cfg": {**TIMM, "crop_pct": 7}}),
    ],
)
def test_a_crop_of_next_to_nothing_is_refused_before_a_photo_is_enlarged_for_it(
    name: str, content: Any, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"of the shorter side is to be kept; allowed: 0\.1 to 1"):
        told(tmp_path, name, content)
