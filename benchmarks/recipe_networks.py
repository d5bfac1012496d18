"""What an image costs by the networks of docs/onnx.md's recipes: of their shape, with random weights."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.extraction import passes
from benchmarks.measuring import Options, Way, in_turn, once, record
from onepass.backbones import resolve
from onepass.engines import BATCH
from onepass.params import BackboneParams

SIDE = 224
# Of Keras Hub's Swin, OpenVINO lacks an operation; exported by PyTorch it has others.
ENGINES = {"swin-tiny": "tensorflow"}


def dinov2_small() -> Any:
    """Of Oquab et al., 2304.07193."""
    shape = {"num_layers": 12, "num_heads": 6, "hidden_dim": 384, "intermediate_dim": 1536}
    return _hub().DINOV2Backbone(patch_size=14, image_shape=(SIDE, SIDE, 3), **shape)


def siglip_base() -> Any:
    """The half that sees, of Zhai et al., 2303.15343."""
    shape = {"num_layers": 12, "num_heads": 12, "hidden_dim": 768, "intermediate_dim": 3072}
    return _hub().SigLIPVisionEncoder(patch_size=16, image_shape=(SIDE, SIDE, 3), **shape)


def swin_tiny() -> Any:
    """Of Liu et al., 2103.14030."""
    shape = {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24], "window_size": 7}
    return _hub().SwinTransformerBackbone(patch_size=4, image_shape=(SIDE, SIDE, 3), **shape)


def of_keras(name: str) -> Any:
    """A network of keras.applications."""
    from onepass.backbones import build_application  # noqa: PLC0415 - imports TensorFlow

    return build_application(name, SIDE)


NETWORKS: dict[str, Callable[[], Any]] = {
    "dinov2-small": dinov2_small,
    "siglip-base": siglip_base,
    "convnext-tiny": partial(of_keras, "ConvNeXtTiny"),
    "swin-tiny": swin_tiny,
    "efficientnetv2-b0": partial(of_keras, "EfficientNetV2B0"),
}


def _hub() -> Any:
    from onepass.tensorflow import keras_hub  # noqa: PLC0415 - imports TensorFlow

    return keras_hub().models


def measure(name: str, folder: Path, options: Options) -> None:
    """Milliseconds an image of the bare forward, in turn."""
    count = options.number(4 * BATCH)
    in_turn({network: once(save, network, folder) for network in NETWORKS}, rounds=0)
    ways: dict[str, Way] = {network: partial(forwarding, network, folder, count) for network in NETWORKS}
    found = {way: [1000 * value / count for value in some] for way, some in in_turn(ways, options.rounds).items()}
    about = f"the recipes' networks, {SIDE}x{SIDE}, float32, random weights, bare forward of {count} images by openvino"
    by = {f"{way} (by {ENGINES[way]})" if way in ENGINES else way: some for way, some in found.items()}
    record(name, f"{about}; the result is dinov2-small", "ms", by, found["dinov2-small"], "told", options)


def save(network: str, folder: Path) -> None:
    """In a process of its own: it imports TensorFlow."""
    made = NETWORKS[network]()
    place = folder / network
    made.save_to_preset(place) if hasattr(made, "save_to_preset") else made.save(place.with_suffix(".keras"))


def forwarding(network: str, folder: Path, count: int) -> Any:
    """Batch after batch, on pixels in memory."""
    place = folder / network
    name, weights = ("hub", place) if place.is_dir() else ("custom", place.with_suffix(".keras"))
    given: dict[str, Any] = {"name": name, "weights": str(weights), "image_side": SIDE, "preprocess": "tf"}
    return passes(resolve(BackboneParams(**given, runtime=ENGINES.get(network, "openvino"))), count)
