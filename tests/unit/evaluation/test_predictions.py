"""Reading predictions.csv in one pass gives what reading all of it would."""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from onepass.core import RowFile, UserError
from onepass.evaluation import predict_images, predictions, summarise_predictions, write_predictions
from onepass.heads import OnBatch
from onepass.photos import SPLITS, Assignment, AssignmentTable, Image
from tests.builders import table

CLASSES = ["a, b", 'c "d"', "e\nf", "g"]
COLUMNS = ["hash", "file", "split", "label", "predicted", *(f"p_{name}" for name in CLASSES)]


def rows(count: int, ending: str = "") -> list[list[str]]:
    """Random predictions of classes and files whose names CSV must quote; many are equally confident."""
    random = np.random.default_rng(3)
    made = []
    for number in range(count):
        chances = random.permutation([0.7, 0.2, 0.1, 0.0]) if number % 2 else random.dirichlet(np.ones(4))
        hash_ = hashlib.sha256(bytes([number % 251, number // 251])).hexdigest()
        label, split = CLASSES[random.integers(4)], SPLITS[random.integers(3)]
        cells = [f"{chance:.6f}" for chance in chances]
        made.append([hash_, f'{number:04}, "\n{ending}', split, label, CLASSES[chances.argmax()], *cells])
    return made


@pytest.mark.parametrize("ending", ["", "\r", "\udce9"])
def test_counts_mistakes_and_samples_are_those_of_all_rows(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_bytes(content := table(COLUMNS, all_rows := rows(400, ending)))
    found = summarise_predictions(path, "test", mistakes=7, samples=3)

    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.classes == CLASSES
    wrong = []
    for row in all_rows:
        _, file, split, label, predicted, *chances = row
        if split == "test" and label != predicted:
            confidence, chance = (float(chances[CLASSES.index(name)]) for name in (predicted, label))
            wrong.append((-confidence, file, chance))
    assert [(-m.confidence, m.prediction.file, m.chance) for m in found.mistakes] == sorted(wrong)[:7]
    for number, name in enumerate(CLASSES):
        own = [row for row in all_rows if row[3] == name]
        assert found.images[number].tolist() == [sum(row[2] == split for row in own) for split in SPLITS]
        said = [[row[4] for row in own if row[2] == "test"].count(other) for other in CLASSES]
        assert found.confusion[number].tolist() == said
        assert [list(row) for row in found.samples[name]] == sorted(row[:5] for row in own)[:3]


def test_a_row_of_plain_names_is_read_as_a_quoted_one(tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("hash,file,split,label,predicted,p_a,p_b\n00,x.jpg,test,a,b,0.1,0.9\n")
    quoted = tmp_path / "quoted.csv"
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(csv.reader(plain.read_text().splitlines()))
    quoted.write_text(text.getvalue())
    both = [summarise_predictions(path, "test", 5, 5)[3:] for path in (plain, quoted)]
    assert str(both[0]) == str(both[1])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("00,x.jpg,test,a,b,0.1", "row 3, cannot be read: ValueError 1 probabilities for 2 classes"),
        ("00,x.jpg,test,a,c,0.1,0.9", "row 3, cannot be read: KeyError 'c'"),
        ("00,x.jpg,other,a,b,0.1,0.9", "row 3, cannot be read: ValueError"),
        ("00,x.jpg,test,a,b,0.1,high", "row 3, cannot be read: ValueError could not convert"),
        ('00,"x.jpg,test,a,b,0.1,0.9', "row 3, cannot be read: Error unexpected end of data"),
        ("00,x.jpg", "row 3, cannot be read"),
    ],
)
def test_a_row_that_evaluate_does_not_write_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text(f"hash,file,split,label,predicted,p_a,p_b\n00,y.jpg,test,a,a,0.9,0.1\n{line}\n")
    with pytest.raises(UserError) as error:
        summarise_predictions(path, "test", 5, 5)
    assert problem in str(error.value)
    assert "`dvc repro` writes this file" in str(error.value)


def test_each_image_is_one_row_under_its_first_file_and_none_may_lack_one(tmp_path: Path) -> None:
    first, second, third = (f"{number:064x}" for number in range(3))
    assigned = AssignmentTable([Assignment(first, "e", "train"), Assignment(second, "g", "test")])
    images = [Image(hash_, file, 9, 9, 0) for hash_, file in ((second, "a"), (third, "b"), (first, "c"), (second, "d"))]
    chances = in_file(tmp_path, np.array([[0.25, 0.75], [1, 0]]))
    path = tmp_path / "predictions.csv"
    write_predictions(path, images, assigned, ["e", "g"], chances)
    assert list(csv.reader(path.read_text().splitlines())) == [
        ["hash", "file", "split", "label", "predicted", "p_e", "p_g"],
        [second, "a", "test", "g", "e", "1", "0"],
        [first, "c", "train", "e", "g", "0.25", "0.75"],
    ]
    lacking = tmp_path / "lacking.csv"
    with pytest.raises(UserError, match=r"has no file of 1 of the images .* `dvc repro --force prepare`"):
        write_predictions(lacking, images[:2], assigned, ["e", "g"], chances)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("together", [2, 1000])
def test_every_image_is_predicted_once_and_the_search_sees_evaluated_ones_first(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "TOGETHER", together)
    hashes = [f"{number:064x}" for number in range(5)]
    splits = ["train", "test", "validation", "train", "test"]
    rows = AssignmentTable(
        Assignment(hash_, label, split) for hash_, label, split in zip(hashes, "abbba", splits, strict=True)
    )
    search = Seen()
    asked: list[str] = []

    def predict(some: Sequence[str], on_batch: OnBatch | None) -> NDArray[np.float64]:
        asked.extend(some)
        chances = np.array([[float(hashes.index(hash_)), -1.0] for hash_ in some])
        if on_batch:
            on_batch(some, np.zeros((len(some), 300)), chances)
        return chances

    found = predict_images(predict, rows, ["a", "b"], "test", [search], tmp_path)
    assert found.all.read(np.arange(5))[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert found.evaluated[:, 0].tolist() == [1, 4]
    assert found.correct == 1  # of the two that train, one is an a
    assert sorted(asked) == hashes
    assert [hash_ for what, some in search.seen for hash_ in some if what == "evaluated"] == [hashes[1], hashes[4]]
    assert [hash_ for what, some in search.seen for hash_ in some if what == "training"] == [hashes[0], hashes[3]]
    assert [what for what, _ in search.seen] == sorted(what for what, _ in search.seen)


def in_file(folder: Path, chances: NDArray[np.float64]) -> RowFile:
    found = RowFile(folder, chances.shape[1:], np.float64)
    found.write(np.arange(len(chances)), chances)
    return found


class Seen:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[str]]] = []

    def evaluated(self, hashes: Sequence[str], _features: NDArray[Any], chances: NDArray[np.float64]) -> None:
        assert len(chances) == len(hashes)
        self.seen.append(("evaluated", [*hashes]))

    def training(self, hashes: Sequence[str], _features: NDArray[Any]) -> None:
        self.seen.append(("training", [*hashes]))


def test_log_loss_can_be_computed_from_the_file(tmp_path: Path) -> None:
    sure = np.array([[1e-12, 1 - 1e-12], [3e-9, 1 - 3e-9], [0.5, 0.5]])
    rows = AssignmentTable(Assignment(f"{number:064x}", "cat", "test") for number in range(3))
    images = [Image(row.hash, f"{number}.jpg", 9, 9, 0) for number, row in enumerate(rows)]
    write_predictions(tmp_path / "predictions.csv", images, rows, ["cat", "dog"], in_file(tmp_path, sure))
    with (tmp_path / "predictions.csv").open() as file:
        found = [float(row["p_cat"]) for row in csv.DictReader(file)]
    assert -np.log(found).mean() == pytest.approx(-np.log(sure[:, 0]).mean(), rel=1e-9)
