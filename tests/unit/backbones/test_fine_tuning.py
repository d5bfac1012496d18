"""Training layers above the cut on stored maps is training the whole network with its trunk frozen."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.backbones import Backbone, build_application
from onepass.core import UserError
from onepass.heads import Dataset, Figures, FitTask, HeadPlan, TrainedHead, figures, read_head, write_head
from onepass.heads.inference import network_of
from tests import builders

SIDE, BATCH, IMAGES = 16, 4, 80  # 20 steps an epoch
CLASSES = ["a", "b", "c"]
TRAIN: dict[str, Any] = {"learning_rate": 0.05, "batch": BATCH, "epochs": 1, "patience": "none"}


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


def backbone(path: Path, layer: str) -> Backbone:
    return builders.backbone(name="custom", weights=str(path), image_side=SIDE, layer=layer, preprocess="rescale")


def photos() -> tuple[Any, Any]:
    """Pixels, uint8 (IMAGES, SIDE, SIDE, 3), and their labels."""
    random = np.random.default_rng(1)
    labels = np.arange(IMAGES) % 3
    pixels = random.integers(0, 120, (IMAGES, SIDE, SIDE, 3)) + 40 * np.eye(3, dtype=int)[labels][:, None, None]
    return pixels.astype(np.uint8), labels


def maps_of(path: Path, layer: str) -> Dataset:
    """What extract-features stores of the photos."""
    pixels, labels = photos()
    return Dataset(backbone(path, layer).load().forward(IMAGES)(pixels), labels, np.arange(IMAGES))


def fit(
    plan: HeadPlan, data: Dataset, pooling: str, scale: float = 1.0, layers_above: Any = None
) -> tuple[TrainedHead, list[Figures]]:
    """The trained head, and the figures of training and validation by turns."""
    logged: list[Figures] = []
    empty, shape = TrainedHead(CLASSES, "softmax", scale, pooling), [*data.features.shape[1:]]
    task = FitTask(plan.head, plan.train, empty, shape, data, data, layers_above, lambda *pair: logged.extend(pair))
    return plan.kind.fit(task), logged


def tuned(path: Path, layer: str = "joined", **changes: Any) -> tuple[TrainedHead, list[Figures]]:
    """A linear head and the layers above the cut, trained for an epoch on stored maps."""
    plan = builders.head_plan("linear", {"pooling": "avg"}, {**TRAIN, "unfreeze": "last", **changes})
    cut = backbone(path, layer)
    above = partial(cut.source.layers_above, cut, plan.unfreeze, plan.train.batch_norm == "trained")
    return fit(plan, maps_of(path, layer), "avg", layers_above=above)


@pytest.mark.parametrize("batch_norm", ["frozen", "trained"])
def test_loss_of_20_steps_is_that_of_the_whole_network_with_a_frozen_trunk(branched: Path, batch_norm: str) -> None:
    from onepass.heads.gradient_training import dense_layers, set_seed, shuffled
    from onepass.tensorflow import keras

    head, logged = tuned(branched, optimizer="sgd", learning_rate=0.02, batch_norm=batch_norm)

    set_seed(0)
    whole = keras.saving.load_model(branched)
    for layer in whole.layers:
        layer.trainable = layer.name in {"top", "norm"} and (layer.name != "norm" or batch_norm == "trained")
    dense = dense_layers([], len(CLASSES))
    model = keras.Sequential([keras.layers.Rescaling(1 / 255), whole, keras.layers.GlobalAveragePooling2D(), *dense])
    model.compile(keras.optimizers.SGD(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    pixels, labels = photos()
    order = shuffled(IMAGES, 0, 0)
    losses = []
    for start in range(0, IMAGES, BATCH):
        batch = order[start : start + BATCH]
        losses.append(float(model.train_on_batch(pixels[batch].astype(np.float32), labels[batch])))
        model.reset_metrics()
    assert logged[0].loss == pytest.approx(np.mean(losses), abs=1e-4)
    expected = model.evaluate(pixels.astype(np.float32), labels, batch_size=IMAGES, verbose=0)
    assert logged[1].loss == pytest.approx(expected, abs=1e-4)
    assert head.trained_parameters == sum(np.prod(variable.shape) for variable in model.trainable_variables)


def judged(head: TrainedHead, data: Dataset) -> Figures:
    """The figures of a head that is applied as it was written."""
    return figures(head, data._replace(features=network_of(head)(data.features)))


def test_the_head_that_is_written_gives_the_figures_that_were_logged(branched: Path, tmp_path: Path) -> None:
    head, logged = tuned(branched, learning_rate=0.02)
    write_head(tmp_path, head)
    assert judged(read_head(tmp_path), maps_of(branched, "joined")) == pytest.approx(logged[1], abs=1e-5)


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
    from onepass.backbones.cut_points import cut_points

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


def test_a_cnn_learns_from_pixels_and_comes_back_as_it_was_trained(tmp_path: Path) -> None:
    layers = {"filters": [4, 8], "hidden_units": [32, 16], "dropout": [0.2, 0.0]}
    plan = builders.head_plan("cnn", layers, {**TRAIN, "batch": 16, "epochs": 40, "learning_rate": 0.005})
    pixels, labels = photos()
    data = Dataset(pixels, labels, np.arange(IMAGES))
    head, logged = fit(plan, data, "none", scale=1 / 255)
    write_head(tmp_path, head)
    found = judged(read_head(tmp_path), data)
    assert found.accuracy > 0.9
    assert found == pytest.approx(logged[1::2][head.best_epoch - 1], abs=1e-5)


@pytest.mark.parametrize("shape", [[8], [2, 9, 3]])
def test_a_cnn_on_features_too_small_for_it_is_refused(shape: list[int]) -> None:
    plan = builders.head_plan("cnn", {"filters": [4, 8]})
    with pytest.raises(UserError, match=r"filters: \[4, 8\] given for features of the shape .*of at least 4 by 4"):
        plan.check_shape(shape)


def test_pooling_what_unfrozen_layers_have_pooled_already_is_refused(tiny_backbone: Path) -> None:
    with pytest.raises(UserError, match=r"head.pooling: avg given for features of the shape \(8,\).*; allowed: none"):
        tuned(tiny_backbone, "late", unfreeze="top")
