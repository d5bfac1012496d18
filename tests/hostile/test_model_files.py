"""A file of a network from elsewhere is loaded as what it is, or refused in bounded time and memory, in words."""

import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from onepass.backbones.keras_loading import load_keras_file, load_weights_into
from onepass.backbones.sources.keras_applications import build_application
from onepass.core import UserError, check_model_file
from onepass.tensorflow import keras
from tests.builders import backbone
from tests.hostile.mutations import mutated

EACH = int(os.environ.get("ONEPASS_MUTATIONS", "60"))  # mutations of each file


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of three layers, as a .keras file."""
    layers = [
        keras.layers.Input((8, 8, 3)),
        keras.layers.Conv2D(4, 3, activation="relu", name="first"),
        keras.layers.GlobalAveragePooling2D(name="mean"),
    ]
    path = tmp_path_factory.mktemp("tiny") / "tiny.keras"
    keras.Sequential(layers).save(path)
    return path


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["config.json", "metadata.json", "model.weights.h5", "assets/more"])
def test_an_archive_that_unpacks_to_far_more_than_it_has_is_refused_before(
    name: str, tiny: Path, tmp_path: Path
) -> None:
    bomb = archive_of(tmp_path / "bomb.keras", {**members_of(tiny), name: bytes(200 << 20)})
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(UserError, match=r"bomb\.keras is not read: .*would unpack to 209,[0-9,]+ bytes"):
        load_keras_file(str(bomb))


def external(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def claims(file: h5py.File) -> None:
    file.create_dataset("many", (1 << 40,), np.float32, chunks=(1 << 10,))


def packed(file: h5py.File) -> None:
    file.create_dataset("zeros", data=np.zeros(100 << 20, np.uint8), compression="gzip")


def large_chunk(file: h5py.File) -> None:
    file.create_dataset("chunked", (4,), np.float32, chunks=(1 << 24,), maxshape=(None,))


def circle(file: h5py.File) -> None:
    file.create_group("a")["b"] = file["/"]


WRONG = {
    external: "elsewhere in / is a link to elsewhere, which is not followed",
    claims: "its arrays claim more than ",
    packed: "its arrays claim more than ",
    large_chunk: r"its chunks of \(16777216,\) are larger than itself",
    circle: "is in it twice",
}


@pytest.mark.parametrize("make", WRONG, ids=lambda make: make.__name__)
def test_arrays_that_are_not_what_keras_writes_are_refused(make: object, tmp_path: Path) -> None:
    path = tmp_path / "wrong.weights.h5"
    with h5py.File(path, "w") as file:
        make(file)  # type: ignore[operator]  # a key of WRONG
    with pytest.raises(UserError, match=WRONG[make]):  # type: ignore[index]
        check_model_file(path)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for name, content in {"a.keras": b"", "b.keras": b"PK", "c.weights.h5": b"\x89HDF\r\n\x1a\n", "d.h5": b"x"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=r"is not read: .* take it anew from where it comes from"):
            check_model_file(tmp_path / name)


def test_code_in_a_file_is_not_run(tiny: Path, tmp_path: Path) -> None:
    members = members_of(tiny)
    config = json.loads(members["config.json"])
    config["config"]["layers"][-1] |= {"module": "os", "class_name": "system", "config": "touch harm"}
    path = archive_of(tmp_path / "harm.keras", {**members, "config.json": json.dumps(config).encode()})
    with pytest.raises(UserError, match="cannot be loaded"):
        load_keras_file(str(path))
    assert not Path("harm").exists()


def test_another_network_under_a_name_is_refused(tmp_path: Path) -> None:
    build_application("VGG16", 32).save(tmp_path / "mine.keras")
    given = {"weights": str(tmp_path / "mine.keras"), "layer": "last", "image_side": 32}
    for allowed in (
        backbone(name="VGG19", preprocess="native", **given),  # has these layers, and sees the same pixels
        backbone(name="MobileNet", preprocess="caffe", **given),  # here the name says nothing
    ):
        assert allowed.source.whole_keras_network(allowed)  # type: ignore[attr-defined]  # of networks of Keras
    other = backbone(name="MobileNet", preprocess="native", **given)
    with pytest.raises(UserError, match=r"MobileNet given, but the network in .*mine\.keras is another one: of its 13"):
        other.source.whole_keras_network(other)  # type: ignore[attr-defined]


def test_weights_that_do_not_fit_are_told_array_by_array(tmp_path: Path) -> None:
    build_application("VGG19", 32).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(UserError, match=r"does not fit MobileNet without its top: \d+ of \d+ arrays differ:\n "):
        load_weights_into(build_application("MobileNet", 32), str(tmp_path / "other.weights.h5"), "MobileNet")


@pytest.mark.more
def test_no_damaged_file_ends_in_anything_but_words(tiny: Path, tmp_path: Path) -> None:
    """Refused, or read with other numbers: a file of a stranger has no checksum of ours."""
    network = keras.models.load_model(tiny)
    network.save_weights(tmp_path / "tiny.weights.h5")
    members = members_of(tiny)  # damaged inside an archive whose checksums are right
    sources = {path.name: path.read_bytes() for path in (tiny, tmp_path / "tiny.weights.h5")} | members
    refused = dict.fromkeys(sources, 0)
    for seed, (name, sound) in enumerate(sources.items()):
        for content in mutated(sound, seed, EACH):
            try:
                if name == "tiny.weights.h5":
                    (tmp_path / "other.weights.h5").write_bytes(content)
                    load_weights_into(network, str(tmp_path / "other.weights.h5"), "tiny")
                else:
                    other = archive_of(tmp_path / "other.keras", {**members, name: content})
                    if name == tiny.name:
                        other.write_bytes(content)
                    load_keras_file(str(other))
            except UserError as error:
                assert str(tmp_path / "other.") in str(error)
                assert len(str(error).splitlines()) < 20
                refused[name] += 1
    assert min(refused[name] for name in sources if name != "metadata.json") > EACH / 8, refused
