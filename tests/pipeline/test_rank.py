"""Backbones ranked by a sample of the photos: the better one first, nothing paid twice, and how to go on."""

import re
from pathlib import Path

import pytest

from tests.builders import Project, with_own_photos
from tests.hostile.onnx_files import SIDE, network

pytestmark = pytest.mark.more
TAKES = r"The other \d+ photos take it \d+ s, once it is loaded: (python -m onepass try .*)"


@pytest.fixture(scope="module")
def project(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return with_own_photos(pixel_project, tmp_path_factory.mktemp("rank"))


def rank(project: Project, *arguments: str) -> str:
    return project.run("python", "-m", "onepass", "rank", *arguments)


def test_a_sample_is_ranked_and_the_pipeline_goes_on_from_it(project: Project, tiny_backbone: Path) -> None:
    output = rank(project, str(tiny_backbone), "--sample", "30", "--side", "12", "--plot", "ranking.svg")
    rows = [line.split("|") for line in output.splitlines() if line.startswith("| tiny")]
    assert {row[2].strip() for row in rows} == {"early", "late"}
    assert {row[4].strip() for row in rows} == {"caffe", "tf", "torch", "rescale"}
    accuracies = [float(row[6]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert all(float(row[7].split(" to ")[0]) < accuracy for row, accuracy in zip(rows, accuracies, strict=True))
    assert "is the best of 8 on 30 photos" in output
    drawn = (project.folder / "ranking.svg").read_text()
    assert all(text in drawn for text in ("tiny, early, 12, caffe", "tiny, late, 12, torch", "milliseconds a photo"))
    (command,) = re.findall(TAKES, output)
    done = project.run("bash", "-c", command)
    reused, computed = map(int, re.findall(r"(\d+) reused, (\d+) computed", done)[0])
    assert (reused, computed) == (30, 30)


def test_a_network_in_an_onnx_file_is_ranked_and_goes_on_like_any_other(project: Project) -> None:
    (project.folder / "net.onnx").write_bytes(network().SerializeToString())
    output = rank(project, "net.onnx", "--sample", "30")
    rows = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if line.startswith("| net")]
    assert {(row[2], row[3]) for row in rows} == {("last", str(SIDE))}
    assert {row[4] for row in rows} == {"caffe", "tf", "torch", "rescale"}
    (command,) = re.findall(TAKES, output)
    assert "30 reused, 30 computed" in project.run("bash", "-c", command)


def test_what_cannot_be_ranked_is_named(project: Project) -> None:
    assert "backbone VGG17: allowed: a .keras, .onnx or .h5 file" in project.run(
        "python", "-m", "onepass", "rank", "VGG17", expect=2
    )
    message = project.run("python", "-m", "onepass", "rank", "MobileNet", expect=2)
    assert "data/imagenet/MobileNet.weights.h5 does not exist. Fetch it first" in message
