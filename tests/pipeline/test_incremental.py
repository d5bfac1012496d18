"""Every image passes the backbone once: what a change computes, counted by extract-features itself."""

import random
import re
import shutil
from pathlib import Path

import pytest

from onepass.core import load_yaml
from tests.builders import Project, write_photos


def extract(project: Project, *arguments: str) -> tuple[int, int]:
    """Runs up to extract-features: rows reused and rows computed. (all, 0) where DVC runs nothing at all."""
    output = project.run("dvc", "repro", "extract-features", *arguments)
    counts = re.findall(r"^(\d+) images: (\d+) reused, (\d+) computed$", output, re.MULTILINE)
    return (int(counts[0][1]), int(counts[0][2])) if counts else (-1, 0)


@pytest.fixture(scope="module")
def extracted_project(pixel_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 photos, extracted."""
    folder = tmp_path_factory.mktemp("extracted")
    shutil.copytree(pixel_project.folder.parent / "photos", folder / "photos")
    project = pixel_project.copy(folder / "project")
    project.set({"data.root": "../photos"})
    assert extract(project) == (0, 60)
    return project


@pytest.fixture
def extracted(extracted_project: Project, tmp_path: Path) -> Project:
    """A copy of ``extracted_project`` with photos of its own, at the same relative path."""
    shutil.copytree(extracted_project.folder.parent / "photos", tmp_path / "photos")
    return extracted_project.copy(tmp_path / "project")


def photos(project: Project) -> Path:
    return project.folder.parent / "photos"


def test_added_images_alone_are_computed(extracted: Project) -> None:
    write_photos(photos(extracted), {"cats": 5, "dogs": 5}, seed=1)
    assert extract(extracted) == (60, 10)


def test_a_photo_is_read_by_prepare_and_not_again_by_extraction(extracted: Project) -> None:
    write_photos(photos(extracted), {"cats": 5, "dogs": 5}, seed=1)
    extracted.run("dvc", "repro", "prepare")
    for file in photos(extracted).glob("*/*"):
        file.unlink()
    assert "60 reused, 10 computed" in extracted.run("dvc", "repro", "--single-item", "extract-features")


def test_removed_images_cost_nothing(extracted: Project) -> None:
    for file in sorted(photos(extracted).glob("cats/*"))[:5]:
        file.unlink()
    assert extract(extracted) == (55, 0)


@pytest.mark.parametrize("change", ["renamed", "relabelled", "split anew", "moved"])
def test_what_does_not_touch_pixels_computes_nothing(change: str, extracted: Project) -> None:
    file = min(photos(extracted).glob("cats/*"))
    if change == "renamed":
        file.rename(file.with_name("another name.png"))
    elif change == "relabelled":
        file.rename(photos(extracted) / "dogs" / file.name)
    elif change == "split anew":
        extracted.set({"split.seed": 1})
    else:
        photos(extracted).rename(extracted.folder.parent / "elsewhere")
        extracted.set({"data.root": "../elsewhere"})
    assert extract(extracted)[1] == 0


def test_another_side_computes_everything_and_never_mixes(extracted: Project) -> None:
    extracted.set({"backbone.image_side": 9})
    assert extract(extracted) == (0, 60)
    write_photos(photos(extracted), {"cats": 1}, seed=1)
    assert extract(extracted) == (60, 1)


def test_going_back_with_new_images_computes_only_these(extracted: Project) -> None:
    extracted.set({"backbone.image_side": 9})
    extract(extracted)
    extracted.set({"backbone.image_side": 8})
    write_photos(photos(extracted), {"cats": 2, "dogs": 1}, seed=1)
    assert extract(extracted) == (60, 3)


def test_the_pool_is_safe_to_delete(extracted: Project) -> None:
    shutil.rmtree(extracted.folder / ".dvc" / "cache" / "onepass")
    write_photos(photos(extracted), {"cats": 1}, seed=1)
    assert extract(extracted) == (60, 1)


def test_the_pool_stays_below_its_limit(extracted: Project) -> None:
    extracted.set({"backbone.image_side": 9})
    extracted.run("dvc", "repro", "extract-features", environment={"ONEPASS_POOL_BYTES": "30000"})
    pool = extracted.folder / ".dvc" / "cache" / "onepass" / "pool"
    kept = {folder.name: sum(file.stat().st_size for file in folder.iterdir()) for folder in pool.iterdir()}
    assert len(kept) == 1
    assert 0 < sum(kept.values()) <= 30_000


@pytest.mark.more
def test_the_same_images_reached_by_three_histories_give_the_same_bytes(extracted: Project, tmp_path: Path) -> None:
    write_photos(photos(extracted), {"cats": 20, "dogs": 20}, seed=1)
    at_once = extracted.copy(tmp_path / "at-once")
    shutil.rmtree(at_once.folder / ".dvc" / "cache")
    (at_once.folder / "dvc.lock").unlink()
    in_steps = extracted.copy(tmp_path / "in-steps")
    detour = extracted.copy(tmp_path / "detour")

    at_once.repro()
    files = sorted(photos(extracted).glob("*/*"))
    random.Random(0).shuffle(files)
    hidden = [file.rename(tmp_path / file.name) for file in files[:30]]
    in_steps.repro("extract-features")
    for file, name in zip(files, hidden, strict=False):
        name.rename(file)
    in_steps.repro()
    detour.set({"backbone.image_side": 5})
    detour.repro("extract-features")
    detour.set({"backbone.image_side": 8})
    detour.repro()

    # Parsed: DVC writes a stage where it ran first, and of prepare and weights either may be the first one.
    locks = [load_yaml((project.folder / "dvc.lock").read_bytes()) for project in (at_once, in_steps, detour)]
    assert locks[0] == locks[1] == locks[2]
    assert all(out["md5"] for stage in locks[0]["stages"].values() for out in stage["outs"])


def test_nothing_to_compute_imports_no_tensorflow(settled: Project, settled_project: Project, tmp_path: Path) -> None:
    own = shutil.copytree(settled_project.folder.parent / "photos", tmp_path / "photos")
    min(own.glob("cats/*")).unlink()
    settled.set({"data.root": str(own)})
    settled.repro("prepare")
    without = "import runpy, onepass, sys; sys.modules['tensorflow'] = sys.modules['keras'] = None"
    run = f"{without}; runpy.run_module('stages.extract_features', run_name='__main__')"
    output = settled.run("python", "-c", run, "data/weights.json", "data/prepared", "data/features")
    assert output.endswith("59 images: 59 reused, 0 computed\n")


@pytest.mark.more
def test_another_layer_pooling_preprocessing_precision_or_weights_compute_everything(
    settled: Project, tiny_backbone: Path, tmp_path: Path
) -> None:
    from onepass.tensorflow import keras

    network = keras.saving.load_model(tiny_backbone)
    network.get_layer("early").set_weights([array + 0.1 for array in network.get_layer("early").get_weights()])
    network.save(tmp_path / "other.keras")
    for change in (
        {"backbone.layer": "early"},
        {"backbone.pooling": "max"},
        {"backbone.preprocess": "tf"},
        {"backbone.precision": "bfloat16"},
        {"backbone.weights": str(tmp_path / "other.keras")},
    ):
        settled.set(change)
        assert extract(settled) == (0, 60), change


@pytest.mark.slow
def test_weights_that_differ_above_the_cut_alone_compute_nothing(settled: Project, tmp_path: Path) -> None:
    from onepass.tensorflow import keras

    path = settled.folder / "params.yaml"
    weights = re.findall(r"weights: (/\S+)", path.read_text())[0]
    settled.set({"backbone.layer": "early"})
    extract(settled)
    network = keras.saving.load_model(weights)
    network.get_layer("late").set_weights([array + 1 for array in network.get_layer("late").get_weights()])
    network.save(tmp_path / "other.keras")
    settled.set({"backbone.weights": str(tmp_path / "other.keras")})
    assert extract(settled) == (60, 0)
