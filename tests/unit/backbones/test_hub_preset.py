"""A preset of Keras Hub gives the features that Keras Hub gives, prepared as its own converter prepares images."""

import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.backbones import Backbone
from onepass.core import UserError
from onepass.features import fingerprint
from onepass.params import BackboneParams, ParamsError
from onepass.selection import backbones_at_hand
from tests import builders

SIDE = 64
ENGINES = ("tensorflow", "openvino", "onnxruntime")
SCALE, OFFSET = [0.01, 0.02, 0.03], [-1.0, -2.0, 0.5]


def photos(count: int, side: int = SIDE) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(256, size=(count, side, side, 3), dtype=np.uint8)


def shaken(network: Any) -> Any:
    """With random weights throughout: beginnings of zeros and ones would hide what is wrong."""
    random = np.random.default_rng(0)
    network.set_weights([array + 0.1 * random.normal(size=array.shape) for array in network.get_weights()])
    return network


def save(network: Any, folder: Path, side: int = SIDE) -> Path:
    from onepass.tensorflow import keras_hub

    network.save_to_preset(folder)
    converter = keras_hub().layers.ImageConverter(image_size=(side, side), scale=SCALE, offset=OFFSET)
    converter.save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Vision Transformer with random weights."""
    from onepass.tensorflow import keras, keras_hub

    keras.utils.set_random_seed(0)
    shape = {"num_layers": 2, "num_heads": 3, "hidden_dim": 24, "mlp_dim": 48}
    network = keras_hub().models.ViTBackbone(image_shape=(SIDE, SIDE, 3), patch_size=16, **shape)
    return save(shaken(network), tmp_path_factory.mktemp("presets") / "vit")


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ResNet with random weights, for images of any side."""
    from onepass.tensorflow import keras, keras_hub

    keras.utils.set_random_seed(0)
    network = keras_hub().models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 16],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    )
    return save(network, tmp_path_factory.mktemp("presets") / "resnet")


def preset(folder: Path, **changes: Any) -> Backbone:
    given = {"name": "hub", "weights": str(folder), "image_side": "native", "preprocess": "native", "layer": "last"}
    return builders.backbone(**{**given, **changes})


def of_keras_hub(folder: Path, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    from onepass.tensorflow import keras_hub

    hub = keras_hub()
    converted = pixels.astype(np.float32) * SCALE + OFFSET
    return np.asarray(hub.models.Backbone.from_preset(str(folder))(converted.astype(np.float32), training=False))


def assert_alike(found: NDArray[Any], expected: NDArray[Any]) -> None:
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("engine", "pooling"), [*((engine, "none") for engine in ENGINES), ("openvino", "cls+avg")])
def test_a_vision_transformer_gives_the_tokens_of_keras_hub(engine: str, pooling: str, transformer: Path) -> None:
    tokens = of_keras_hub(transformer, photos(4))
    assert tokens.shape == (4, 17, 24)
    assert np.ptp(tokens, axis=0).max() > 0.1
    places = tokens[:, 1:].mean(axis=1)
    expected = {
        "none": tokens,
        "cls+avg": np.concatenate([tokens[:, 0], places], axis=1),
    }
    network = preset(transformer, runtime=engine, pooling=pooling).load()
    assert_alike(network.forward(4)(photos(4)), expected[pooling])
    assert network.feature_shape().shape == list(expected[pooling].shape[1:])


def test_a_convolutional_network_takes_any_side_and_is_cut_anywhere(residual: Path) -> None:
    from onepass.tensorflow import keras, keras_hub

    whole = keras_hub().models.Backbone.from_preset(str(residual))
    layer = next(one.name for one in whole.layers if type(one).__name__ == "Add")
    pixels = photos(2, 50)
    cut = keras.Model(whole.inputs[0], whole.get_layer(layer).output)
    expected = np.asarray(cut((pixels.astype(np.float32) * SCALE + OFFSET).astype(np.float32), training=False))
    assert_alike(preset(residual, image_side=50, layer=layer).load().forward(2)(pixels), expected)


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
def test_in_bfloat16_every_layer_inside_a_block_is_rounded_and_none_is_wrong(engine: str, transformer: Path) -> None:
    expected = of_keras_hub(transformer, photos(4))
    found = preset(transformer, runtime=engine, precision="bfloat16").load().forward(4)(photos(4))
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-4 < difference < 0.05


def test_of_a_network_that_reads_text_too_the_part_that_sees_is_taken(tmp_path: Path) -> None:
    from onepass.tensorflow import keras, keras_hub

    keras.utils.set_random_seed(0)
    models = keras_hub().models
    size = {"hidden_dim": 16, "num_layers": 1, "num_heads": 2, "intermediate_dim": 16}
    vision = models.SigLIPVisionEncoder(patch_size=16, image_shape=(SIDE, SIDE, 3), **size)
    text = models.SigLIPTextEncoder(vocabulary_size=32, embedding_dim=16, max_sequence_length=8, **size)
    folder = save(models.SigLIPBackbone(vision, text), tmp_path / "siglip")
    expected = np.asarray(vision((photos(2) * np.float32(1) * SCALE + OFFSET).astype(np.float32), training=False))
    assert_alike(preset(folder).load().forward(2)(photos(2)), expected)


def test_the_layers_above_a_cut_can_be_trained(transformer: Path) -> None:
    cut = preset(transformer, layer="vit_patching_and_embedding")
    maps = cut.load().forward(2)(photos(2))
    above = cut.source.layers_above(cut, "last", False)
    np.testing.assert_allclose(np.asarray(above(maps)), of_keras_hub(transformer, photos(2)), atol=1e-4)
    assert len(above.trainable_weights) > 10


def test_a_network_whose_layers_cannot_be_saved_singly_is_saved_in_one_piece(tmp_path: Path) -> None:
    from onepass.tensorflow import keras, keras_hub, save_keras

    keras.utils.set_random_seed(0)
    size = {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4}
    swin = keras_hub().models.SwinTransformerBackbone(image_shape=(SIDE, SIDE, 3), patch_size=4, **size)
    folder = save(shaken(swin), tmp_path / "swin")
    given = preset(folder)
    expected = of_keras_hub(folder, photos(2))
    assert_alike(given.load().forward(2)(photos(2)), expected)
    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    save_keras(tmp_path / "whole.keras", keras.Model(pixels, given.source.whole_network(given)(pixels)), {})
    loaded = keras.saving.load_model(tmp_path / "whole.keras", compile=False)
    assert_alike(np.asarray(loaded(photos(2))), expected)
    assert given.source.cuts_to_try(given) == []
    with pytest.raises(UserError, match=r"stage_0 given, but this version .* cannot save each layer.*; allowed: last"):
        preset(folder, layer="stage_0").load()


def test_the_fingerprint_tells_weights_apart_and_not_names(transformer: Path, tmp_path: Path) -> None:
    from onepass.tensorflow import keras_hub

    def said(folder: Path) -> str:
        found = preset(folder)
        return str(fingerprint(found, found.load().feature_shape().network))

    shutil.copytree(transformer, tmp_path / "copy")
    assert said(tmp_path / "copy") == said(transformer)
    again = keras_hub().models.Backbone.from_preset(str(transformer), name="another", trainable=False)
    again.save_to_preset(tmp_path / "copy")
    assert said(tmp_path / "copy") == said(transformer)
    shaken(again).save_to_preset(tmp_path / "copy")
    assert said(tmp_path / "copy") != said(transformer)


def test_a_folder_that_is_no_preset_or_a_damaged_one_is_refused(transformer: Path, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"net\.keras given; allowed for name: hub: a folder of a preset"):
        preset(Path("net.keras"))
    with pytest.raises(
        UserError, match=r"is no preset of Keras Hub: config\.json in it cannot be read .*save_to_preset"
    ):
        preset(tmp_path)
    folder = tmp_path / "damaged"
    shutil.copytree(transformer, folder)
    (folder / "image_converter.json").unlink()
    with pytest.raises(UserError, match=r"preprocess: native given, but .*damaged has no .*image_converter\.json"):
        preset(folder)
    weights = (folder / "model.weights.h5").read_bytes()
    (folder / "model.weights.h5").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(UserError, match=r"model\.weights\.h5 is not read: .* It is damaged"):
        preset(folder, preprocess="tf").load()
    (folder / "model.weights.h5").unlink()
    with pytest.raises(UserError, match=r"damaged cannot be loaded: .*"):
        preset(folder, preprocess="tf").load()
    for content in ("[1]", '{"config": 3}', "{", '{"class_name": "ViTBackbone"}'):
        (folder / "config.json").write_text(content)
        with pytest.raises(UserError, match=r"is no preset of Keras Hub|cannot be loaded|does not say for which side"):
            preset(folder, preprocess="tf").load()


def test_a_preset_runs_no_code_that_its_description_names(transformer: Path, tmp_path: Path) -> None:
    folder, witness = tmp_path / "hostile", tmp_path / "witness"
    shutil.copytree(transformer, folder)
    config = {
        "module": "os",
        "class_name": "system",
        "config": {"command": f"touch {witness}"},
        "registered_name": None,
    }
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="hostile cannot be loaded"):
        preset(folder, image_side=SIDE).load()
    assert not witness.exists()


def test_a_side_for_which_a_network_was_not_made_is_named_with_the_one_it_was_made_for(transformer: Path) -> None:
    with pytest.raises(UserError, match=r"vit cannot be loaded for image_side: 96, where it was made for 64: "):
        preset(transformer, image_side=96).load()


def test_without_the_extra_the_message_says_how_to_install_it(
    transformer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onepass.tensorflow import hub

    def none(_package: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setitem(sys.modules, "keras_hub", None)
    monkeypatch.setattr(hub, "requires", none)
    with pytest.raises(UserError, match=r"Keras Hub cannot be imported: .*`make install EXTRA=hub` installs it"):
        preset(transformer).load()


def test_versions_that_do_not_go_together_are_named(transformer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onepass.tensorflow import hub

    versions = {"keras": "3.13.0", "tensorflow": "2.21.0", "keras-hub": "0.32.0"}
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    monkeypatch.setattr(hub, "version", versions.__getitem__)
    monkeypatch.setattr(hub, "requires", lambda _package: ["keras>=3.15", "numpy", "tensorflow>=2.20; extra == 'all'"])
    said = r"keras-hub 0\.32\.0 is here with keras 3\.13\.0, tensorflow 2\.21\.0, and wants keras>=3\.15\. Install"
    with pytest.raises(UserError, match=said):
        preset(transformer).load()


def test_best_and_rank_take_a_preset_as_it_says_itself(transformer: Path) -> None:
    committed = builders.params().read(BackboneParams)
    (found,) = backbones_at_hand([str(transformer)], committed, digits=False)
    assert (found.label, found.params.name, found.params.preprocess) == ("vit", "hub", "native")
    assert (found.preprocess, found.of_output) == (("native",), "cls+avg")
