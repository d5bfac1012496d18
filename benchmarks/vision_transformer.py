"""A Vision Transformer of Keras's own layers with random weights, and how fast each engine runs it."""

from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.extraction import passes
from benchmarks.measuring import Options, Way, in_turn, once, ratios, record
from onepass.backbones import resolve
from onepass.engines import BATCH
from onepass.params import BackboneParams

SIDE, PATCH, WIDTH, DEPTH, HEADS = 224, 16, 384, 12, 6  # of ViT-S (Steiner et al., 2106.10270)
NETWORK, ENGINES = "vit-s.keras", ("tensorflow", "openvino", "onnxruntime")
TARGET = "at least 1.5"


def vision_transformer(side: int, patch: int, width: int, depth: int, heads: int) -> Any:
    """A Keras model from images (batch, side, side, 3) to tokens (batch, 1 + patches, width), the class token first."""
    from onepass.tensorflow import keras  # noqa: PLC0415 - imports TensorFlow

    layers = keras.layers
    image = keras.Input((side, side, 3), name="image")
    patches = layers.Conv2D(width, patch, patch, name="patches")(image)
    count = (side // patch) ** 2
    # The class token begins as zeros; what is learned of it is its place.
    tokens = layers.ZeroPadding1D((1, 0), name="class_token")(layers.Reshape((count, width))(patches))
    # With a bias of its own for each place.
    tokens = layers.EinsumDense("abc,cd->abd", (count + 1, width), bias_axes="bd", name="places")(tokens)
    for number in range(depth):
        normal = layers.LayerNormalization(epsilon=1e-6)(tokens)
        attended = layers.MultiHeadAttention(heads, width // heads, name=f"attention{number}")(normal, normal)
        tokens = layers.Add()([tokens, attended])
        hidden = layers.Dense(4 * width, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(tokens))
        tokens = layers.Add(name=f"block{number}")([tokens, layers.Dense(width)(hidden)])
    return keras.Model(image, layers.LayerNormalization(epsilon=1e-6, name="tokens")(tokens), name="vit")


def measure(name: str, folder: Path, options: Options) -> None:
    """Images a second of the bare forward by each engine, in turn."""
    count = options.number(8 * BATCH)
    path = folder / NETWORK
    in_turn({"network": once(save_network, path)}, rounds=0)
    ways: dict[str, Way] = {engine: partial(forwarding, path, engine, count) for engine in ENGINES}
    speed = {way: [count / value for value in some] for way, some in in_turn(ways, options.rounds).items()}
    about = (
        f"ViT-S of {SIDE}x{SIDE}, float32, random weights, bare forward of {count} images: openvino against tensorflow"
    )
    values = ratios(speed["openvino"], speed["tensorflow"])
    record(name, about, "images/s", speed, values, TARGET, options)


def save_network(path: Path) -> None:
    """In a process of its own: it imports TensorFlow."""
    vision_transformer(SIDE, PATCH, WIDTH, DEPTH, HEADS).save(path)


def forwarding(path: Path, engine: str, count: int) -> Any:
    """Batch after batch, on pixels in memory."""
    given: dict[str, Any] = {
        "name": "custom",
        "weights": str(path),
        "image_side": SIDE,
        "pooling": "cls",
        "preprocess": "tf",
    }
    return passes(resolve(BackboneParams(**given, runtime=engine)), count)
