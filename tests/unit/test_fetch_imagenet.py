"""Fetching ImageNet weights, with Keras's downloads replaced: no network is used."""

import http.client
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from data import fetch_imagenet
from onepass.backbones import APPLICATIONS, build_application
from onepass.core import UserError

SIDE = 32
WANTED = {"MobileNet": "mobilenet_1_0_224_tf_no_top.h5", "EfficientNetB0": "efficientnetb0_notop.h5"}
pytestmark = pytest.mark.filterwarnings("ignore:`input_shape` is undefined")  # Keras says so of every MobileNet


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small photos, and an EfficientNet with two of its seven kinds of blocks: its stem is what matters here."""
    from onepass.tensorflow import keras

    blocks = keras.src.applications.efficientnet.DEFAULT_BLOCKS_ARGS
    monkeypatch.setattr(keras.src.applications.efficientnet, "DEFAULT_BLOCKS_ARGS", blocks[:2])
    for name in WANTED:
        monkeypatch.setitem(APPLICATIONS, name, APPLICATIONS[name]._replace(image_side=SIDE))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for weights in an empty home of Keras."""
    from onepass.tensorflow import keras

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(keras.src.backend.config, "keras_home", lambda: str(tmp_path / "keras"))
    folder = tmp_path / "keras" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def offline(models: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | bytes], Path]:
    """Sets what a download gives: an error, or these bytes. Returns the folder for weights."""
    from onepass.tensorflow import keras

    def give(outcome: Exception | bytes) -> Path:
        def urlretrieve(_url: str, target: str, _progress: object) -> None:
            if isinstance(outcome, Exception):
                raise outcome
            Path(target).write_bytes(outcome)

        monkeypatch.setattr(keras.src.utils.file_utils, "urlretrieve", urlretrieve)
        return models

    return give


def publish(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a download give this file with random weights of the network that ImageNet weights are for."""
    from onepass.tensorflow import keras

    with monkeypatch.context() as patch:
        patch.setattr(keras.src.utils.file_utils, "get_file", lambda *_, **__: "")
        patch.setattr(keras.Model, "load_weights", lambda *_: None)
        network = getattr(keras.applications, name)(include_top=False, weights="imagenet")
    random = np.random.default_rng(0)
    # Positive, as variances must be, and with no two channels alike.
    network.set_weights([array * random.uniform(0.5, 1.5, array.shape) for array in network.get_weights()])
    for layer in network.layers:
        if type(layer).__name__ == "Normalization":
            mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
            layer.set_weights([mean, deviation**2, np.array(0)])
    network.save_weights(path)
    network.load_weights(path)  # a Normalization takes up new weights only when they are loaded
    monkeypatch.setattr(keras.src.utils.file_utils, "get_file", lambda *_, **__: str(path))
    return network


def features(network: Any) -> Any:
    pixels = np.random.default_rng(7).uniform(0, 255, (2, SIDE, SIDE, 3)).astype(np.float32)
    return np.asarray(network(pixels, training=False))


def fetch_main(name: str, out: Path) -> None:
    from onepass.tensorflow import keras

    keras.utils.clear_session()  # names of layers are counted from the start, as in a process of its own
    fetch_imagenet.fetch_weights(name, out)


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("EfficientNetB0", urllib.error.URLError("no route to host")),
        ("MobileNet", urllib.error.URLError("no route to host")),
        ("MobileNet", urllib.error.HTTPError("", 404, "Not Found", http.client.HTTPMessage(), None)),
    ],
)
def test_a_failed_download_names_the_file_and_every_way_to_get_it(
    name: str, failure: Exception, offline: Callable[[Exception], Path], tmp_path: Path
) -> None:
    models = offline(failure)
    out = tmp_path / "imagenet" / f"{name}.weights.h5"
    with pytest.raises(UserError) as refusal:
        fetch_main(name, out)
    for told in (WANTED[name], f"dvc pull {out}", str(models), "backbone.weights: /path/to/"):
        assert told in str(refusal.value)
    assert not out.exists()


@pytest.mark.parametrize("failure", [ConnectionResetError(104, "Connection reset by peer"), TimeoutError()])
def test_a_lost_connection_names_the_network_where_keras_gives_no_address(
    failure: Exception, offline: Callable[[Exception], Path], tmp_path: Path
) -> None:
    models = offline(failure)
    with pytest.raises(UserError, match="the weights of MobileNet without its top could not be fetched") as refusal:
        fetch_main("MobileNet", tmp_path / "out.weights.h5")
    assert str(models) in str(refusal.value)


@pytest.mark.parametrize("name", WANTED)
def test_a_damaged_download_is_told_with_its_folder_and_writes_nothing(
    name: str, offline: Callable[[bytes], Path], tmp_path: Path
) -> None:
    models = offline(b"<html>please log in</html>")
    with pytest.raises(UserError, match="damaged") as refusal:
        fetch_main(name, tmp_path / "out.weights.h5")
    assert str(models) in str(refusal.value)
    assert not (tmp_path / "out.weights.h5").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", WANTED)
def test_two_runs_write_the_same_bytes_and_these_give_the_fetched_features(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = features(publish(name, tmp_path / "published.weights.h5", monkeypatch))
    first, second = (tmp_path / run / f"{name}.weights.h5" for run in ("first", "second"))
    fetch_main(name, first)
    fetch_main(name, second)
    assert first.read_bytes() == second.read_bytes()
    plain = build_application(name, SIDE)
    plain.load_weights(first)
    assert np.ptp(expected) > 0
    assert np.abs(features(plain) - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.slow
def test_weights_that_give_other_features_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("EfficientNetB0", tmp_path / "published.weights.h5", monkeypatch)
    monkeypatch.setattr(fetch_imagenet, "fold_rescaling", lambda _fetched, _plain: None)
    with pytest.raises(UserError, match=r"EfficientNetB0, saved and loaded again, give features that differ by"):
        fetch_main("EfficientNetB0", tmp_path / "out.weights.h5")
    assert not (tmp_path / "out.weights.h5").exists()


def test_a_file_that_is_there_already_is_not_fetched_again(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onepass.tensorflow import keras

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(keras.src.utils.file_utils, "urlretrieve", refuse)
    expected = build_application("MobileNet", SIDE)
    with keras.src.legacy.saving.legacy_h5_format.h5py.File(models / WANTED["MobileNet"], "w") as file:
        keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file, expected)
    np.testing.assert_allclose(
        features(fetch_imagenet.fetch("MobileNet", Path("out"))), features(expected), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("MobilNet", "MobilNet.weights.h5", "backbone.name: 'MobilNet' given; allowed: custom, .*MobileNet"),
        ("custom", "custom.weights.h5", "backbone.weights: .* given; allowed for name: custom: a .keras file"),
        ("MobileNet", "VGG16.weights.h5", "given; allowed here for MobileNet: imagenet/MobileNet.weights.h5"),
    ],
)
def test_what_keras_does_not_publish_is_refused_before_any_download(
    name: str, file: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(f"backbone: {{name: {name}, weights: imagenet/{file}, preprocess: tf}}")
    with pytest.raises(UserError, match=message):
        fetch_imagenet.main(Path("imagenet"))
    assert not Path("imagenet").exists()


def test_where_no_imagenet_weights_are_used_a_note_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("backbone: {name: custom, weights: my.keras, preprocess: tf}")
    fetch_imagenet.main(Path("imagenet"))
    assert [path.name for path in Path("imagenet").iterdir()] == ["NONE.txt"]
