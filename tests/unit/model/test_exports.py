"""The command that exports a model: the same probabilities from other programs' formats."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from onepass.cli.export import command, generated_photos
from onepass.core import UserError
from onepass.photos import SMALLEST, UNLIMITED, decode
from tests.builders import write_photos
from tests.unit.heads.small_heads import LIMITS
from tests.unit.model.tiny_models import model_file

CLASSES = ["ant", "bee", "cat"]
OUTPUTS = {"probabilities", "distance", "sure", "familiar"}


@pytest.fixture(scope="module")
def model(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_file(tmp_path_factory.mktemp("model"), tiny_backbone, CLASSES, preprocess="caffe", storage="float16")


def export(model: Path, form: str, output: Path, *more: str | Path) -> None:
    """The command as it is run; its errors are raised."""
    command.main([str(model), "--format", form, "--output", str(output), *map(str, more)], standalone_mode=False)


def network_of(model: Path) -> Any:
    from onepass.model.keras_model import read_model

    return read_model(model).answers()


@pytest.mark.parametrize("form", ["savedmodel", "onnx", "openvino", "tflite"])
def test_every_format_says_what_the_model_says(
    form: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from onepass.model.exports import FORMATS

    export(model, form, tmp_path / "exported")
    assert "largest difference" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["exported"]
    network = network_of(model)
    for ask in FORMATS[form].open(tmp_path / "exported"):
        found = [ask(photo[None])[0] for photo in generated_photos()]
        expected = [np.asarray(network(photo[None]))[0] for photo in generated_photos()]
        assert np.ptp(expected, axis=0).max() > 0.01
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_savedmodel_takes_the_bytes_of_files_and_names_the_class(model: Path, tmp_path: Path) -> None:
    from onepass.tensorflow import tf

    export(model, "savedmodel", tmp_path / "exported")
    photos = list(generated_photos())[1:4]
    files = []
    for photo, suffix in zip(photos, ["jpg", "png", "bmp"], strict=True):
        Image.fromarray(photo).save(tmp_path / f"photo.{suffix}")
        files.append((tmp_path / f"photo.{suffix}").read_bytes())
    photos[0] = np.asarray(Image.open(tmp_path / "photo.jpg"))
    found = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"](files=tf.constant(files))
    answers = np.concatenate([network_of(model)(photo[None]) for photo in photos])
    expected = answers[:, :-1]
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-4)
    np.testing.assert_array_equal(found["familiar"][:, 0], answers[:, -1] <= LIMITS.familiar)
    np.testing.assert_array_equal(found["sure"][:, 0], expected.max(axis=1) >= LIMITS.sure)
    assert [name.decode() for name in found["predicted"].numpy()] == [CLASSES[n] for n in expected.argmax(axis=1)]


def test_a_savedmodel_decodes_large_files_as_predict_does(model: Path, tmp_path: Path) -> None:
    from onepass.model.keras_model import read_model
    from onepass.tensorflow import tf

    whole = read_model(model)
    assert whole.smallest == SMALLEST
    random = np.random.default_rng(1)
    files = []
    kinds: list[tuple[tuple[int, int], str, dict[str, Any]]] = [
        ((1500, 1100), "JPEG", {"quality": 85}),
        ((5000, 4200), "JPEG", {"progressive": True}),
        ((2100, 1030), "PNG", {}),
        ((1600, 90), "BMP", {}),
    ]
    for size, form, options in kinds:
        coarse = Image.fromarray(random.integers(0, 256, (30, 30, 3), np.uint8))
        stream = io.BytesIO()
        coarse.resize(size, Image.Resampling.BICUBIC).save(stream, form, **options)
        files.append(stream.getvalue())
    export(model, "savedmodel", tmp_path / "exported")
    found = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"](files=tf.constant(files))
    photos = np.stack([whole.framing.pixels(decode(file, UNLIMITED, whole.smallest).image) for file in files])
    np.testing.assert_allclose(found["probabilities"], whole.after_resize()(photos)[:, :-1], atol=1e-6)


@pytest.mark.parametrize("form", ["savedmodel", "onnx", "openvino", "tflite"])
def test_a_bfloat16_model_is_nearly_the_same_in_formats_that_know_float32_alone(
    form: str, tiny_backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rounded = model_file(tmp_path, tiny_backbone, CLASSES, precision="bfloat16", runtime="tensorflow")
    export(rounded, form, tmp_path / "exported")
    (difference,) = map(float, re.findall(r"largest difference (\S+),", capsys.readouterr().out))
    assert (difference == 0) is (form == "savedmodel")
    assert difference < 5e-2


def test_class_names_travel_inside_onnx_and_tflite(model: Path, tmp_path: Path) -> None:
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    for form in ("onnx", "tflite"):
        export(model, form, tmp_path / form)
    session = onnxruntime.InferenceSession(tmp_path / "onnx")
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == CLASSES
    assert session.get_inputs()[0].shape == ["batch", "height", "width", 3]
    outputs = {output.name: output.shape for output in session.get_outputs()}
    assert outputs == {name: ["batch", 3 if name == "probabilities" else 1] for name in OUTPUTS}
    runner = Interpreter(str(tmp_path / "tflite")).get_signature_runner("serving_default")
    assert set(runner.get_output_details()) == OUTPUTS
    with zipfile.ZipFile(tmp_path / "tflite") as archive:
        assert archive.read("labels.txt").decode().splitlines() == CLASSES


def test_the_files_of_openvino_name_the_classes_and_have_the_same_bytes_each_time(model: Path, tmp_path: Path) -> None:
    import openvino

    for name in ("first", "second"):
        export(model, "openvino", tmp_path / name)
    assert [path.name for path in sorted((tmp_path / "first").iterdir())] == ["model.bin", "model.xml"]
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()
    read = openvino.Core().read_model(tmp_path / "first" / "model.xml")
    assert json.loads(read.get_rt_info("classes").astype(str)) == CLASSES
    assert {output.get_any_name() for output in read.outputs} == OUTPUTS


def test_predict_takes_what_was_exported_to_onnx_and_a_second_export_is_a_copy(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from onepass.model.keras_model import read_model
    from onepass.model.onnx_model import read_onnx_model

    export(model, "onnx", tmp_path / "model.onnx")
    whole, in_onnx = read_model(model), read_onnx_model(tmp_path / "model.onnx")
    assert (in_onnx.classes, in_onnx.framing, in_onnx.smallest) == (CLASSES, whole.framing, whole.smallest)
    assert in_onnx.limits == whole.limits == LIMITS
    photos = np.stack([whole.framing.pixels(Image.fromarray(photo)) for photo in generated_photos()])
    np.testing.assert_allclose(in_onnx.forward(photos), whole.after_resize()(photos), atol=2e-3)
    export(tmp_path / "model.onnx", "onnx", tmp_path / "copy.onnx")
    assert (tmp_path / "copy.onnx").read_bytes() == (tmp_path / "model.onnx").read_bytes()
    with pytest.raises(UserError, match=r"--format: tflite given; allowed for .*model\.onnx.*: onnx"):
        export(tmp_path / "model.onnx", "tflite", tmp_path / "model.tflite")
    assert "a copy of" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["savedmodel", "onnx", "openvino", "tflite"])
def test_a_model_that_sees_the_middle_of_photos_says_the_same_in_every_format(
    form: str, tiny_backbone: Path, tmp_path: Path
) -> None:
    from onepass.model.exports import FORMATS

    seen = {"resize": "crop", "crop_fraction": 0.8, "interpolation": "bicubic"}
    cropping = model_file(tmp_path, tiny_backbone, CLASSES, **seen)
    export(cropping, form, tmp_path / "exported")
    network = network_of(cropping)
    for ask in FORMATS[form].open(tmp_path / "exported"):
        for photo in generated_photos(SMALLEST):
            np.testing.assert_allclose(ask(photo[None]), network(photo[None]), atol=2e-3)


def test_a_file_that_differs_is_not_kept(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onepass.model.exports import FORMATS

    wrong = FORMATS["onnx"]._replace(open=lambda _: [lambda photo: np.full((len(photo), 4), np.nan, np.float32)])
    monkeypatch.setitem(FORMATS, "onnx", wrong)
    write_photos(tmp_path / "photos", {"ant": 3})
    message = r"m would differ by nan in a probability or distance, in 3 images; allowed: 0.002"
    with pytest.raises(UserError, match=message):
        export(model, "onnx", tmp_path / "m", "--photos", tmp_path / "photos")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_what_would_be_overwritten_or_cannot_be_checked_is_refused(model: Path, tmp_path: Path) -> None:
    for taken in (tmp_path, tmp_path / "absent" / "m"):
        refused = CliRunner().invoke(command, [str(model), "--format", "onnx", "--output", str(taken)])
        assert refused.exit_code == 2
        assert f"{taken} given; expected a name that is not taken, in a folder" in " ".join(refused.stderr.split())
    with pytest.raises(UserError, match=r"--photos: .* no photo can be read"):
        export(model, "onnx", tmp_path / "m", "--photos", tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_format_that_is_not_installed_is_refused_with_the_way_to_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onepass.model.exports import FORMATS

    monkeypatch.setitem(FORMATS, "onnx", FORMATS["onnx"]._replace(needs=["json", "no_such_package"]))
    with pytest.raises(UserError, match=r"--format onnx needs no_such_package. `make install EXTRA=export`"):
        export(model, "onnx", tmp_path / "m")
