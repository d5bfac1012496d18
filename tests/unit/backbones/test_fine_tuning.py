"""Training layers above the cut on stored maps is training the whole network with its trunk frozen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.test_training import HEAD, TRAIN

from onepass.core import UserError
from onepass.heads import Dataset, Figures, TrainedHead
from onepass.params import HEAD_TODO as HeadParams
from onepass.params import TRAIN_TODO, BackboneParams

SIDE, BATCH, IMAGES = 16, 4, 80  # 20 steps an epoch


@pytest.fixture(scope="module")
def branched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .keras file: stem, a block with a path around it, batch normalisation, top."""
    from onepass.tensorflow import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 3))
    stem = layers.Conv2D(4, 3, strides=2, activation="relu", name="stem")(image)
    inside = layers.Conv2D(4, 3, padding="same", activation="relu", name="inside")(stem)
    joined = layers.Add(name="joined")([inside, stem])
    norm = layers.BatchNormalization(name="norm")(joined)
    top = layers.Conv2D(8, 3, activation="relu", name="top")(norm)
    network = keras.Model(image, top)
    random = np.random.default_rng(0)
    network.get_layer("norm").set_weights([random.uniform(0.5, 1.5, 4).astype(np.float32) for _ in range(4)])
    path: Path = tmp_path_factory.mktemp("branched") / "branched.keras"
    network.save(path)
    return path


def backbone(path: Path, layer: str) -> BackboneParams:
    given: dict[str, Any] = {
        "name": "custom",
        "weights": str(path),
        "image_side": SIDE,
        "layer": layer,
        "pooling": "none",
    }
    given |= {"color_mode": "rgb", "views": 1, "preprocess": "rescale", "precision": "float32", "runtime": "tensorflow"}
    return BackboneParams.model_validate(given)


def photos() -> tuple[Any, Any]:
    """Pixels, uint8 (IMAGES, SIDE, SIDE, 3), and their labels."""
    random = np.random.default_rng(1)
    labels = np.arange(IMAGES) % 3
    pixels = random.integers(0, 120, (IMAGES, SIDE, SIDE, 3)) + 40 * np.eye(3, dtype=int)[labels][:, None, None]
    return pixels.astype(np.uint8), labels


def tuned(path: Path, layer: str = "joined", **changes: Any) -> tuple[Any, list[Figures], Any]:
    """The FIT_TODO of one epoch on stored maps, the figures logged, and the tail."""
    from onepass.backbones.fine_tuning import layers_above
    from onepass.backbones.truncated_network import TruncatedNetwork
    from onepass.heads.gradient_training import FIT_TODO, set_seed

    train = TRAIN_TODO.model_validate(TRAIN | {"unfreeze": "last", "epochs": 1, "batch": BATCH} | changes)
    head = HeadParams.model_validate(HEAD | {"pooling": "avg"})
    pixels, labels = photos()
    maps = TruncatedNetwork(backbone(path, layer), SIDE).forward(IMAGES)(pixels)
    data, logged = Dataset(maps, labels, np.arange(IMAGES)), list[Figures]()
    set_seed(train)
    tail = layers_above(backbone(path, layer), train, SIDE)
    best = FIT_TODO(head, train, data, data, 3, lambda *figures: logged.extend(figures), tail)
    return best, logged, tail


@pytest.mark.parametrize("batch_norm", ["frozen", "trained"])
def test_loss_of_20_steps_is_that_of_the_whole_network_with_a_frozen_trunk(branched: Path, batch_norm: str) -> None:
    from onepass.heads.gradient_training import dense_layers, set_seed, shuffled
    from onepass.tensorflow import keras

    train = TRAIN_TODO.model_validate(TRAIN | {"optimizer": "sgd", "learning_rate": 0.02, "batch_norm": batch_norm})
    best, logged, _ = tuned(branched, optimizer="sgd", learning_rate=0.02, batch_norm=batch_norm)

    set_seed(train)
    whole = keras.saving.load_model(branched)
    for layer in whole.layers:
        layer.trainable = layer.name in {"top", "norm"} and (layer.name != "norm" or batch_norm == "trained")
    dense = dense_layers(HeadParams.model_validate(HEAD), 3)
    model = keras.Sequential([keras.layers.Rescaling(1 / 255), whole, keras.layers.GlobalAveragePooling2D(), *dense])
    model.compile(keras.optimizers.SGD(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    pixels, labels = photos()
    order = shuffled(IMAGES, train.seed, 0)
    losses = []
    for start in range(0, IMAGES, BATCH):
        batch = order[start : start + BATCH]
        losses.append(float(model.train_on_batch(pixels[batch].astype(np.float32), labels[batch])))
        model.reset_metrics()
    assert logged[0].loss == pytest.approx(np.mean(losses), abs=1e-4)
    expected = model.evaluate(pixels.astype(np.float32), labels, batch_size=IMAGES, verbose=0)
    assert logged[1].loss == pytest.approx(expected, abs=1e-4)
    assert best.trained_parameters == sum(np.prod(variable.shape) for variable in model.trainable_variables)


def test_the_head_that_is_written_gives_the_figures_that_were_logged(branched: Path) -> None:
    from onepass.backbones.truncated_network import TruncatedNetwork
    from onepass.heads.cnn import DESCRIBE_TODO
    from onepass.heads.inference import network_of

    best, logged, tail = tuned(branched, learning_rate=0.02)
    head = TrainedHead(["a", "b", "c"], "softmax", 1.0, "avg", DESCRIBE_TODO(tail), **best._asdict())
    pixels, labels = photos()
    maps = TruncatedNetwork(backbone(branched, "joined"), SIDE).forward(IMAGES)(pixels)
    found = head.judge(Dataset(network_of(head)(maps), labels, np.arange(IMAGES)))
    assert found == pytest.approx(logged[1], abs=1e-5)


def test_a_layer_that_another_path_passes_by_is_refused_with_the_nearest_cuts(branched: Path) -> None:
    with pytest.raises(UserError, match=r"inside given, which another path .* below is stem, above joined"):
        tuned(branched, "inside")


@pytest.mark.parametrize(
    ("unfreeze", "complaint"),
    [("stem", "not above backbone.layer: joined; allowed: none, last, norm, top"), ("tpo", "most alike are: top")],
)
def test_a_layer_that_cannot_be_trained_up_to_is_refused(branched: Path, unfreeze: str, complaint: str) -> None:
    with pytest.raises(UserError, match=f"train.unfreeze: .*{complaint}"):
        tuned(branched, unfreeze=unfreeze)


def test_cuts_of_a_residual_network_are_where_its_paths_meet() -> None:
    from onepass.backbones import build_application
    from onepass.backbones.fine_tuning import cut_points

    cuts = cut_points(build_application("ResNet50", 32))
    assert cuts[-5:] == [
        "conv5_block1_out",
        "conv5_block2_add",
        "conv5_block2_out",
        "conv5_block3_add",
        "conv5_block3_out",
    ]
    assert "conv5_block3_2_relu" not in cuts
    assert len(cut_points(build_application("VGG16", 32))) == 18  # a chain: everything but its input


def test_a_cnn_learns_from_pixels_and_comes_back_as_it_was_trained() -> None:
    from onepass.heads.cnn import DESCRIBE_TODO, convolutions
    from onepass.heads.gradient_training import FIT_TODO, set_seed
    from onepass.heads.inference import network_of

    train = TRAIN_TODO.model_validate(TRAIN | {"epochs": 40, "learning_rate": 0.005})
    params = HeadParams.model_validate(
        HEAD | {"kind": "cnn", "filters": [4, 8], "hidden_units": [32, 16], "dropout": [0.2, 0.0]}
    )
    pixels, labels = photos()
    data, logged = Dataset(pixels, labels, np.arange(IMAGES)), list[Figures]()
    set_seed(train)
    network = convolutions(params, [SIDE, SIDE, 3], 1 / 255)
    best = FIT_TODO(params, train, data, data, 3, lambda _, judged: logged.append(judged), network)
    head = TrainedHead(["a", "b", "c"], "softmax", 1.0, "none", DESCRIBE_TODO(network), **best._asdict())
    found = head.judge(Dataset(network_of(head)(pixels), labels, np.arange(IMAGES)))
    assert found.accuracy > 0.9
    assert found == pytest.approx(logged[best.best_epoch - 1], abs=1e-5)


@pytest.mark.parametrize("shape", [[8], [2, 9, 3]])
def test_a_cnn_on_features_too_small_for_it_is_refused(shape: list[int]) -> None:
    from onepass.heads.cnn import convolutions

    params = HeadParams.model_validate(HEAD | {"kind": "cnn", "filters": [4, 8]})
    with pytest.raises(UserError, match=r"filters: \[4, 8\] given for features of the shape .*of at least 4 by 4"):
        convolutions(params, shape, 1.0)
