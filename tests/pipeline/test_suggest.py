"""Photos that are suggested for labels teach more than photos that are drawn by lot."""

import csv
import hashlib
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.evaluation import pooled
from onepass.features import features_of_sample
from onepass.heads import CHEAP_HEADS
from onepass.labelling import suggest
from onepass.params import BackboneParams, read_params
from onepass.photos import Image
from tests.builders import MOBILENET, SHARED, Project, new_project, table

pytestmark = [pytest.mark.more, pytest.mark.shared]
PHOTOS = SHARED / "data" / "cats-dogs"
POOLS, DRAWS, UNLABELLED = 20, 20, 1000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("suggest") / "project")
    project.set(MOBILENET)
    project.commit()
    return project


def suggestions(project: Project, folder: Path, *more: str) -> tuple[list[dict[str, str]], str]:
    printed = project.run("python", "-m", "onepass", "suggest", str(folder), *more)
    with (project.folder / "suggestions.csv").open(newline="") as file:
        return list(csv.DictReader(file)), printed


def test_from_no_label_to_a_trained_head(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    files = random.Random(0).sample(sorted((PHOTOS / "train").rglob("*.jpg")), 60)
    for file in files:
        shutil.copy(file, folder)
    for file in files[:5]:
        shutil.copy(file, folder / f"again-{file.name}")
    (folder / ".hidden.jpg").write_text("no photo")
    (folder / "notes.txt").write_text("these are no pixels")
    rows, printed = suggestions(project, folder, "--count", "40")
    assert "'notes.txt' cannot be used: not_an_image" in printed
    assert "40 of 60 photos without a label; 0 have one: suggestions.csv, suggestions.html" in printed
    assert [list(row) for row in rows] == [["file", "label", "hash"]] * 40
    assert len({row["hash"] for row in rows}) == 40
    assert all(hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest() == row["hash"] for row in rows)
    content = (project.folder / "suggestions.html").read_bytes()
    assert suggestions(project, folder, "--count", "40")[0] == rows
    assert (project.folder / "suggestions.html").read_bytes() == content

    labels = {file.name: file.parent.name for file in files}
    for row in rows:
        row["label"] = labels[Path(row["file"]).name.removeprefix("again-")]
    lines = [[row["file"], row["label"], row["hash"]] for row in rows]
    (tmp_path / "labels.csv").write_bytes(table(["file", "label", "hash"], lines))
    project.set({"data.root": str(tmp_path / "labels.csv"), "head.kind": "lda"})
    assert "40 reused, 0 computed" in project.run("dvc", "repro", "evaluate")  # labelling cost nothing

    more, printed = suggestions(project, folder, "--count", "40")
    assert "20 of 20 photos without a label; 40 have one" in printed
    assert not {row["hash"] for row in more} & {row["hash"] for row in rows}
    assert "probably" in (project.folder / "suggestions.html").read_text()


def test_what_cannot_be_suggested_from_is_told(project: Project, tmp_path: Path) -> None:
    command = ("python", "-m", "onepass", "suggest")
    assert "absent is no folder. Give one that has the photos." in project.run(*command, "absent", expect=2)
    message = "has no photo that can be used and has no label yet."
    assert message in project.run(*command, str(tmp_path), expect=2)
    printed = project.run(*command, str(tmp_path), "--output", "found.txt", expect=2)
    assert "found.txt given; expected a name that ends with .csv" in printed


@pytest.mark.parametrize("count", [20, 100])
def test_suggested_labels_teach_more_than_random_ones(
    project: Project, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    params = read_params().read(BackboneParams)
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(PHOTOS.rglob("*.jpg"))}
    images = [Image(hash_, str(files[hash_].relative_to(PHOTOS)), 500, 375, 0) for hash_ in sorted(files)]
    features = pooled(features_of_sample(params, images, PHOTOS, Path("data/features")))
    labels = np.array([int("dogs" in image.file) for image in images])
    place = {image.hash: number for number, image in enumerate(images)}

    def accuracy(chosen: NDArray[np.intp], judging: NDArray[np.intp]) -> float:
        heads = [head.trained_on(features[chosen], labels[chosen], ["cat", "dog"], 0) for head in CHEAP_HEADS]
        return float(np.mean([says(features[judging]).argmax(axis=1) == labels[judging] for says in heads]))

    gains = []
    for seed in range(POOLS):
        draw = np.random.default_rng(seed)
        mixed = draw.permutation(len(images))
        pool, judging = np.sort(mixed[:UNLABELLED]), mixed[UNLABELLED:]
        suggested = suggest(params, [images[n] for n in pool], PHOTOS, None, count, Path("data/features"))
        chosen = np.array([place[one.image.hash] for one in suggested])
        by_lot = [draw.choice(pool, count, replace=False) for _ in range(DRAWS)]
        gains.append(accuracy(chosen, judging) - float(np.mean([accuracy(some, judging) for some in by_lot])))
    margin = 1.96 * np.std(gains, ddof=1) / len(gains) ** 0.5
    print(f"{count} suggested labels instead of random ones: {np.mean(gains):+.4f} +- {margin:.4f}")
    assert np.mean(gains) - margin > 0
