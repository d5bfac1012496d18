"""`weights add` makes a file of one machine the team's: a clone that pulls has it, and nothing is computed again."""

import shutil
from pathlib import Path

import pytest
from onnx import save_model

from tests.builders import Project, stages_run
from tests.hostile.onnx_files import SIDE, network

pytestmark = pytest.mark.slow
NAME = "größe, mit leer.keras"


@pytest.fixture
def weights(settled: Project, tiny_backbone: Path, tmp_path: Path) -> Path:
    """The present backbone.weights of ``settled``, on a path that can vanish."""
    path = tmp_path / "home" / NAME
    path.parent.mkdir()
    shutil.copy(tiny_backbone, path)
    settled.set({"backbone.weights": str(path)})
    return path


def add(project: Project, file: Path | str, expect: int = 0) -> str:
    return project.run("python", "-m", "onepass", "weights", "add", str(file), expect=expect)


@pytest.mark.more
def test_a_colleague_has_the_weights_and_runs_no_stage_and_then_changes_the_head(
    settled: Project, weights: Path, tmp_path: Path
) -> None:
    settled.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(tmp_path / "origin"))
    settled.run("git", "remote", "add", "origin", str(tmp_path / "origin"))
    settled.run("dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    settled.run("git", "rm", "--quiet", "data/dvc.yaml")  # what it makes is not in use, and DVC would miss it
    settled.commit()
    printed = add(settled, weights)
    repro, *commands = [line.strip() for line in printed.splitlines() if line.startswith("    ")]
    assert repro == "dvc repro"
    assert "60 images: 60 reused, 0 computed" in settled.run("dvc", "repro")
    assert commands[-2:] == ["git push", "make publish"]
    for command in commands[:-2]:
        settled.run("bash", "-c", command)
    assert settled.run("git", "status", "--porcelain") == ""
    settled.run("git", "push", "--quiet", "origin", "main")
    settled.run("dvc", "push", "--quiet", "--run-cache")

    shutil.rmtree(weights.parent)
    settled.run("git", "clone", "--quiet", str(tmp_path / "origin"), str(tmp_path / "colleague"))
    colleague = Project(tmp_path / "colleague")
    colleague.run("dvc", "pull", "--quiet")
    assert colleague.repro() == []
    colleague.set({"head.hidden_units": 8})
    assert colleague.repro() == ["train-head", "evaluate", "report"]

    settled.run("git", "clone", "--quiet", str(tmp_path / "origin"), str(tmp_path / "nothing-pulled"))
    other = Project(tmp_path / "nothing-pulled")
    output = other.run("dvc", "exp", "run", "--pull", "--allow-missing", "-S", "head.hidden_units=9")
    assert stages_run(output) == ["train-head", "evaluate", "report"]


def test_params_yaml_changes_in_one_value_and_a_second_time_in_none(settled: Project, weights: Path) -> None:
    params = settled.folder / "params.yaml"
    settled.set({"backbone.weights": "before.keras"})
    before = params.read_text()
    printed = add(settled, weights)
    assert f"data/weights/{NAME}: a copy of {weights}, added to DVC" in printed
    after = params.read_text()
    assert after == before.replace("weights: before.keras", f"weights: 'data/weights/{NAME}'") != before
    add(settled, weights)
    assert params.read_text() == after


def test_what_cannot_be_added_is_refused_and_changes_nothing(settled: Project, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "vgg.h5").touch()
    other = tmp_path / "other" / NAME
    other.parent.mkdir()
    other.write_bytes(b"other weights")
    in_git = settled.folder / "tests" / "small.keras"
    in_git.touch()
    settled.run("git", "add", "tests/small.keras")
    add(settled, weights)
    before = settled.run("git", "status", "--porcelain"), (settled.folder / "params.yaml").read_bytes()
    shared = "is shared already: it is a part of this repository, and"
    complaints: dict[str | Path, str] = {
        "/no/such.h5": "/no/such.h5 does not exist. Expected a file of weights: .h5 or .keras or .onnx.",
        tmp_path: f"{tmp_path} is a folder without a .onnx file, and no preset. Expected a file of weights",
        tmp_path
        / "notes.txt": "notes.txt given; expected a file of weights, whose name ends in .h5 or .keras or .onnx.",
        tmp_path / "vgg.h5": "'data/weights/vgg.h5' given; allowed for name: custom: a .keras file",
        other: f"data/weights/{NAME} is there already and has another content. Give {other} another name",
        f"data/weights/{NAME}": f"{shared} DVC keeps it. To use it, set backbone.weights in params.yaml",
        "tests/small.keras": f"{shared} git keeps it.",
    }
    for file, complaint in complaints.items():
        assert complaint in add(settled, file, expect=2), file
    assert (settled.run("git", "status", "--porcelain"), (settled.folder / "params.yaml").read_bytes()) == before


def test_a_copy_that_is_not_pulled_yet_is_not_replaced(settled: Project, weights: Path) -> None:
    add(settled, weights)
    (settled.folder / "data" / "weights" / NAME).unlink()
    assert f"is not here: run `dvc pull 'data/weights/{NAME}'` first" in add(settled, weights, expect=2)


@pytest.mark.more
def test_a_folder_with_a_network_in_onnx_is_added_whole(settled: Project, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    save_model(network(), folder / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    changes = {"name": "onnx", "weights": str(folder), "layer": "maps", "preprocess": "rescale", "image_side": SIDE}
    settled.set({f"backbone.{key}": value for key, value in changes.items()})
    first = settled.run("dvc", "repro")
    assert "60 images: 0 reused, 60 computed" in first
    add(settled, folder)
    params = (settled.folder / "params.yaml").read_text()
    assert "data/weights/net" in params
    assert str(folder) not in params
    assert sorted(path.name for path in (settled.folder / "data/weights/net").iterdir()) == ["net.data", "net.onnx"]
    assert "60 images: 60 reused, 0 computed" in settled.run("dvc", "repro")
    data = settled.folder / "data/weights/net/net.data"
    content = bytearray(data.read_bytes())
    content[1] ^= 0x40
    data.unlink()  # a link into the cache, perhaps
    data.write_bytes(content)
    assert "60 images: 0 reused, 60 computed" in settled.run("dvc", "repro")
