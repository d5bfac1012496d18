"""Fetching a preset of Keras Hub, with its downloads replaced: no network is used."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.core import UserError
from tests import builders

NAME = "vit_base_patch16_224_imagenet"
SIDE = 32


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """What lies behind the name: a small network, as Keras Hub publishes one."""
    from onepass.tensorflow import keras, keras_hub

    keras.utils.set_random_seed(0)
    shape = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 8}
    folder = tmp_path / "published"
    keras_hub().models.ViTBackbone(image_shape=(SIDE, SIDE, 3), patch_size=16, **shape).save_to_preset(folder)
    keras_hub().models.ViTImageClassifierPreprocessor.image_converter_cls(image_size=(SIDE, SIDE)).save_to_preset(
        folder
    )
    return folder


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, str], str]], None]:
    """Sets what a download does: from handle and name of a file to where it is."""
    from onepass.tensorflow import keras_hub

    utils = keras_hub().src.utils.preset_utils

    def give(download: Callable[[str, str], str]) -> None:
        monkeypatch.setattr(utils.kagglehub, "model_download", download)

    return give


def fetch_preset(name: str, folder: Path) -> None:
    from onepass.backbones import hub_fetching

    hub_fetching.fetch_preset(name, folder)


def pixels() -> Any:
    return np.random.default_rng(0).integers(256, size=(1, SIDE, SIDE, 3), dtype=np.uint8)


def test_what_is_fetched_gives_the_published_features_and_the_same_bytes_each_time(
    published: Path, downloads: Callable[..., None], tmp_path: Path
) -> None:
    def download(_handle: str, name: str) -> str:
        if not (published / name).exists():
            raise ValueError(f"{name} is not present in the model files")
        return str(published / name)

    downloads(download)
    wanted = tmp_path / "presets" / NAME
    fetch_preset(NAME, wanted)
    given = {"name": "hub", "image_side": "native", "preprocess": "native", "layer": "last", "runtime": "tensorflow"}
    found, expected = (
        builders.backbone(**given, weights=str(folder)).load().forward(1)(pixels()) for folder in (wanted, published)
    )
    np.testing.assert_array_equal(found, expected)
    first = {file.name: file.read_bytes() for file in wanted.iterdir()}
    assert first.keys() == {"config.json", "image_converter.json", "model.weights.h5"}
    shutil.rmtree(wanted)
    fetch_preset(NAME, wanted)
    assert {file.name: file.read_bytes() for file in wanted.iterdir()} == first


def test_a_download_that_fails_says_what_to_do_and_leaves_nothing(
    downloads: Callable[..., None], tmp_path: Path
) -> None:
    def download(_handle: str, _name: str) -> str:
        raise ConnectionError("no network")

    downloads(download)
    with pytest.raises(UserError) as caught:
        fetch_preset(NAME, tmp_path / NAME)
    said = str(caught.value)
    assert f"the preset {NAME} could not be fetched (ConnectionError: no network)" in said
    assert "dvc pull\n" in said
    assert f"python -m onepass weights add /path/to/{NAME}" in said
    assert f"save_to_preset('{NAME}')" in said
    assert not list(tmp_path.iterdir())


def test_a_name_that_keras_hub_does_not_know_is_answered_with_the_most_alike(tmp_path: Path) -> None:
    said = r"has no preset dinov2_smal; the most alike are: dinov2_small, .* by `python -m onepass weights add FOLDER`"
    with pytest.raises(UserError, match=said):
        fetch_preset("dinov2_smal", tmp_path / "dinov2_smal")
