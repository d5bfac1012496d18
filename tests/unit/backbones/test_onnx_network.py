"""A network in an ONNX file gives the features that the same network gives in Keras, whatever is cut and pooled."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, save_model

from benchmarks.vision_transformer import vision_transformer
from onepass.backbones import Network, build_application
from onepass.core import UserError
from onepass.features import fingerprint
from onepass.params import ParamsError
from tests.builders import backbone

SIDE = 64
CUT = "conv_pw_3_relu"
ENGINES = ("openvino", "onnxruntime")


@pytest.fixture(scope="module")
def keras_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(0)
    path: Path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    build_application("MobileNet", SIDE).save_weights(path)
    return path


@pytest.fixture(scope="module")
def exported(keras_weights: Path) -> Path:
    """The same network, as tf2onnx writes it: channels last at its input, first inside."""
    network = build_application("MobileNet", SIDE)
    network.load_weights(keras_weights)
    return export(network, keras_weights.with_name("mobilenet.onnx"), SIDE)


def export(network: Any, path: Path, side: int) -> Path:
    import tf2onnx

    from onepass.tensorflow import tf

    signature = [tf.TensorSpec((None, side, side, 3), tf.float32, name="image")]
    function = tf.function(lambda image: network(image, training=False), input_signature=signature)
    model, _ = tf2onnx.convert.from_function(function, signature, opset=18)
    path.write_bytes(model.SerializeToString())
    return path


def tensor(path: Path, part: str) -> str:
    """The last tensor with this in its name."""
    from onnx import load_model

    return str([name for node in load_model(path).graph.node for name in node.output if part in name][-1])


def onnx_network(path: Path, engine: str, **changes: Any) -> Network:
    given = {"name": "onnx", "weights": str(path), "image_side": SIDE, "preprocess": "tf", "runtime": engine}
    return backbone(**{**given, **changes}).load()


def photos(count: int, side: int = SIDE) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(256, size=(count, side, side, 3), dtype=np.uint8)


def assert_alike(found: NDArray[Any], expected: NDArray[Any]) -> None:
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pooling", ["none", "avg", "max"])
def test_a_keras_network_gives_the_same_as_itself(
    pooling: str, engine: str, exported: Path, keras_weights: Path
) -> None:
    given = {"name": "MobileNet", "image_side": SIDE, "layer": CUT, "weights": str(keras_weights)}
    expected = backbone(**given, preprocess="native", pooling=pooling, runtime="tensorflow").load().forward(4)
    network = onnx_network(exported, engine, layer=tensor(exported, CUT), pooling=pooling)
    assert_alike(network.forward(4)(photos(4)), expected(photos(4)))
    assert network.feature_shape().shape == list(expected(photos(4)).shape[1:])


@pytest.mark.parametrize("engine", ENGINES)
def test_several_tensors_stand_side_by_side(engine: str, exported: Path) -> None:
    layers = [tensor(exported, name) for name in (CUT, "conv1_relu", "conv_pw_5_relu")]
    alone = [onnx_network(exported, engine, layer=layer, pooling="avg") for layer in layers]
    together = onnx_network(exported, engine, layer=layers, pooling="avg")
    wanted = np.concatenate([network.forward(4)(photos(4)) for network in alone], axis=1)
    assert_alike(together.forward(4)(photos(4)), wanted)
    assert together.feature_shape().shape == [wanted.shape[1]]


def test_onnxruntime_runs_a_keras_network(keras_weights: Path) -> None:
    given = {"name": "MobileNet", "image_side": SIDE, "layer": CUT, "weights": str(keras_weights)}
    found, expected = (
        backbone(**given, preprocess="native", runtime=engine).load().forward(4)(photos(4))
        for engine in ("onnxruntime", "tensorflow")
    )
    assert_alike(found, expected)


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small Vision Transformer with random weights, as a .keras and as a .onnx file."""
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(0)
    network = vision_transformer(SIDE, 16, 24, depth=2, heads=3)
    for layer in network.layers:  # beginnings of zeros and ones would hide what is wrong
        layer.set_weights(
            [array + 0.1 * np.random.default_rng(0).normal(size=array.shape) for array in layer.get_weights()]
        )
    path = tmp_path_factory.mktemp("vit") / "vit.keras"
    network.save(path)
    return path, export(network, path.with_suffix(".onnx"), SIDE)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pooling", ["none", "cls", "cls+avg"])
def test_a_vision_transformer_gives_the_same_tokens_as_in_keras(
    pooling: str, engine: str, transformer: tuple[Path, Path]
) -> None:
    in_keras, in_onnx = transformer
    given = {"name": "custom", "weights": str(in_keras), "image_side": SIDE, "preprocess": "tf", "pooling": pooling}
    keras_network = backbone(**given, layer="tokens", runtime="tensorflow").load()
    expected = keras_network.forward(4)(photos(4))
    assert keras_network.feature_shape().shape == {"none": [17, 24], "cls": [24], "cls+avg": [48]}[pooling]
    assert np.ptp(expected, axis=0).max() > 0.1
    assert_alike(onnx_network(in_onnx, engine, layer="last", pooling=pooling).forward(4)(photos(4)), expected)
    if pooling != "none":  # a block in the middle and the last one, as linear probes have them
        beside = backbone(**given, layer=["block0", "tokens"], runtime="tensorflow").load().forward(4)(photos(4))
        np.testing.assert_array_equal(beside[:, beside.shape[1] // 2 :], expected)


def tokens_network(special: int, tokens: int, channels: int) -> ModelProto:
    """Patches of a side of 16 by a convolution, special tokens before them, and something that mixes both."""
    random = np.random.default_rng(0)
    from onnx import numpy_helper

    arrays = {
        "kernel": random.normal(size=(channels, 3, 16, 16)),
        "special": random.normal(size=(1, special, channels)),
        "mix": random.normal(size=(tokens + special, tokens + special)),
    }
    nodes = [
        helper.make_node("Conv", ["pixel_values", "kernel"], ["patches"], strides=[16, 16]),
        helper.make_node("Reshape", ["patches", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["places"], perm=[0, 2, 1]),
        helper.make_node("Shape", ["places"], ["batch"], end=1),
        helper.make_node("Concat", ["batch", "others"], ["repeated"], axis=0),
        helper.make_node("Expand", ["special", "repeated"], ["first"]),
        helper.make_node("Concat", ["first", "places"], ["all"], axis=1),
        helper.make_node("MatMul", ["mix", "all"], ["last_hidden_state"]),
        helper.make_node("Gather", ["last_hidden_state", "zero"], ["pooler_output"], axis=1),
    ]
    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    constants += [
        numpy_helper.from_array(np.array(value), name)
        for name, value in {"flat": [0, channels, -1], "others": [special, channels], "zero": 0}.items()
    ]
    graph = helper.make_graph(
        nodes,
        "vit",
        [helper.make_tensor_value_info("pixel_values", 1, ["b", "c", "h", "w"])],
        [
            helper.make_tensor_value_info("last_hidden_state", 1, ["b", tokens + special, channels]),
            helper.make_tensor_value_info("pooler_output", 1, ["b", channels]),
        ],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("pooling", "special"), [("none", 1), ("cls", 1), ("avg", 1), ("avg", 5), ("max", 5), ("cls+avg", 5)]
)
def test_tokens_are_pooled_without_the_special_ones(pooling: str, special: int, engine: str, tmp_path: Path) -> None:
    path = tmp_path / "vit.onnx"
    path.write_bytes(tokens_network(special, 16, 6).SerializeToString())
    given = {"layer": "last_hidden_state", "preprocess": "rescale", "special_tokens": special}
    tokens = onnx_network(path, engine, **given).forward(3)(photos(3))
    assert tokens.shape == (3, 16 + special, 6)
    places = tokens[:, special:]
    expected = {
        "none": tokens,
        "cls": tokens[:, 0],
        "avg": places.mean(axis=1),
        "max": places.max(axis=1),
        "cls+avg": np.concatenate([tokens[:, 0], places.mean(axis=1)], axis=1),
    }[pooling]
    network = onnx_network(path, engine, **given, pooling=pooling)
    assert_alike(network.forward(3)(photos(3)), expected)
    assert network.feature_shape().shape == list(expected.shape[1:])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layer": "last"}, "the graph has the outputs last_hidden_state, pooler_output; give one"),
        ({"layer": "last_hiden"}, "does not have; the most alike are: last_hidden_state"),
        ({"layer": "patches", "pooling": "cls"}, "are maps and no tokens; allowed: none, avg, max"),
        ({"layer": "pooler_output", "pooling": "avg"}, "no tokens, to pool over; allowed: none"),
        ({"layer": "last_hidden_state", "pooling": "cls", "special_tokens": 0}, "no class token; .*: at least 1"),
        (
            {"layer": "last_hidden_state", "pooling": "avg", "special_tokens": 17},
            "gives 17 tokens, so that none is left",
        ),
    ],
)
def test_what_does_not_fit_the_graph_is_refused_with_what_does(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / "vit.onnx").write_bytes(tokens_network(1, 16, 6).SerializeToString())
    with pytest.raises(UserError, match=said):
        onnx_network(tmp_path / "vit.onnx", "openvino", **{"preprocess": "rescale", **changes}).feature_shape()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": "net.h5"}, r"net\.h5 given; allowed for name: onnx: a \.onnx file, or a folder of one"),
        ({"runtime": "tensorflow"}, r"tensorflow given; allowed for name: onnx: onnxruntime, openvino"),
        ({"preprocess": "native"}, r"native given, which a \.onnx file does not tell; allowed: none, .* or its parts"),
        ({"runtime": "onnxruntime", "precision": "bfloat16"}, r"bfloat16 given; allowed with .*: float32"),
        ({"preprocess": {"mean": [1, 2]}}, r"\{'mean': \[1, 2\]\} given; allowed: .* scale, mean, std, channels"),
    ],
)  # fmt: skip
def test_params_that_an_onnx_file_does_not_take_are_refused_before_it_is_read(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ParamsError, match=said):
        onnx_network(Path("absent.onnx"), "openvino", **changes)


def test_preprocessing_in_parts_means_what_its_names_say(tmp_path: Path) -> None:
    path = tmp_path / "vit.onnx"
    path.write_bytes(tokens_network(1, 16, 6).SerializeToString())
    given = {"layer": "last_hidden_state", "special_tokens": 1}
    parts = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    expected = onnx_network(path, "openvino", **given, preprocess="torch").forward(2)(photos(2))
    assert_alike(onnx_network(path, "openvino", **given, preprocess=parts).forward(2)(photos(2)), expected)
    flipped = onnx_network(path, "openvino", **given, preprocess={**parts, "channels": "bgr"})
    assert_alike(flipped.forward(2)(photos(2)[..., ::-1]), expected)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "preprocessor_config.json",
            '{"do_center_crop": true, "crop_size": {"height": 64, "width": 64}, "image_mean": [0.5, 0.5, 0.5], '
            '"image_std": [0.5, 0.5, 0.5], "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}}',
        ),
        (
            "config.json",
            '{"pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "input_size": [3, 64, 64]}}',
        ),
    ],
)
def test_what_the_publisher_says_beside_the_file_is_native(name: str, content: str, tmp_path: Path) -> None:
    save_model(tokens_network(1, 16, 6), tmp_path / "vit.onnx")
    (tmp_path / name).write_text(content)
    found = backbone(name="onnx", weights=str(tmp_path), image_side="native", preprocess="native", layer="all")
    assert found.side == SIDE
    np.testing.assert_allclose([*found.preprocess.mean, *found.preprocess.scale], 127.5)
    (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=rf"{name} does not say how|has no preprocessor_config.json or config.json"):
        backbone(name="onnx", weights=str(tmp_path), preprocess="native", layer="all")


def test_the_fingerprint_tells_cuts_and_weights_apart_and_nothing_else(tmp_path: Path) -> None:
    model = tokens_network(1, 16, 6)

    def said(layer: str, **changes: Any) -> str:
        save_model(model, tmp_path / "vit.onnx")
        given = {"name": "onnx", "weights": str(tmp_path / "vit.onnx"), "image_side": SIDE, "preprocess": "tf"}
        found = backbone(**given, layer=layer, **changes)
        return str(fingerprint(found, found.load().feature_shape().network))

    first = said("all")
    model.producer_name, model.doc_string = "somebody", "exported on a Monday"
    assert said("all") == first
    (mix,) = (one for one in model.graph.initializer if one.name == "mix")
    mix.raw_data = bytes(len(mix.raw_data))
    assert said("all") == first  # which is below the mixing
    assert said("last_hidden_state") != first
    assert said("all", special_tokens=2) == first  # which only pooling reads
    assert said("all", special_tokens=2, pooling="avg") != said("all", pooling="avg")
    assert said("all", resize="crop") != first
    (special,) = (one for one in model.graph.initializer if one.name == "special")
    special.raw_data = bytes(len(special.raw_data))
    assert said("all") != first


def test_without_the_extra_the_message_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onepass.onnx import read_onnx

    save_model(tokens_network(1, 16, 6), tmp_path / "vit.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r"needs the package onnx. `make install EXTRA=onnx` brings it"):
        read_onnx(tmp_path / "vit.onnx")


def test_a_folder_has_one_digest_over_all_its_files(tmp_path: Path) -> None:
    save_model(
        tokens_network(1, 16, 6),
        tmp_path / "vit.onnx",
        save_as_external_data=True,
        location="vit.data",
        size_threshold=0,
    )
    given = {"name": "onnx", "weights": str(tmp_path), "image_side": SIDE, "preprocess": "tf", "layer": "all"}
    before = backbone(**given).weights_sha256()
    content = bytearray((tmp_path / "vit.data").read_bytes())
    content[0] ^= 1
    (tmp_path / "vit.data").write_bytes(content)
    assert backbone(**given).weights_sha256() != before


def test_a_side_that_nobody_says_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "vit.onnx"
    save_model(tokens_network(1, 16, 6), path)
    with pytest.raises(UserError, match=r"image_side: native given, but .*vit\.onnx does not say for which side"):
        onnx_network(path, "openvino", image_side="native", layer="all")
    path.write_text("no network")
    with pytest.raises(UserError, match=r"image_side: native given, but .*vit\.onnx does not say for which side"):
        onnx_network(path, "openvino", image_side="native", layer="all")
