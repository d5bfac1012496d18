"""What a comparison reads of predictions: who is right, and a digest of all that was said, in one pass."""

import csv
import hashlib
import io
import random
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.evaluation import Answers, Prediction, read_answers
from tests.builders import table

COLUMNS = [*Prediction._fields, "p_a", "p_b"]
ROWS = [[f"{number:03}", f"{number}.jpg", "test", "a", "b", "0.25", "0.75"] for number in range(9)]
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)


def read(content: bytes, split: str = "test") -> Answers:
    return read_answers(io.BytesIO(content), split, hashlib.md5(usedforsecurity=False))


def digest(rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS) -> str:
    return read(table(columns, rows)).digest


@given(st.lists(st.tuples(TEXT, st.sampled_from(["train", "test"]), TEXT, TEXT), max_size=8))
def test_any_names_of_files_and_classes_are_read_as_they_were_written(rows: list[tuple[str, ...]]) -> None:
    written = [(f"{number:03}", *row, "0.5") for number, row in enumerate(rows)]
    content = table([*Prediction._fields, "p_x"], written)
    expected = [row for row in written if row[2] == "test"]
    if not expected:
        with pytest.raises(ValueError, match="no test image"):
            read(content)
        return
    answers = read(content)
    assert list(answers.labels.items()) == [(hash_, label) for hash_, _, _, label, _, _ in expected]
    assert answers.right.tolist() == [label == predicted for _, _, _, label, predicted, _ in expected]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n",
        b"hash,file,split,label,predicted\n1,2\n",
        b"hash,file,split,label,predicted,p_x\n1,2\n",
        b"\xff\0",
    ],
)
def test_what_is_no_table_of_predictions_is_an_error_and_all_of_it_is_hashed(content: bytes) -> None:
    of_file = hashlib.md5(usedforsecurity=False)
    with pytest.raises(ValueError, match=r"columns|values"):
        read_answers(io.BytesIO(content + b"more\n"), "test", of_file)
    assert of_file.digest() == hashlib.md5(content + b"more\n", usedforsecurity=False).digest()


def test_photos_that_moved_are_the_same_predictions() -> None:
    moved = [[row[0], f'photos, "new"\n/{row[1]}', *row[2:]] for row in ROWS]
    random.Random(1).shuffle(moved)
    quoted = io.StringIO()
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *ROWS])
    assert digest(moved) == digest(ROWS) == read(quoted.getvalue().encode()).digest


@pytest.mark.parametrize("place", [place for place, name in enumerate(COLUMNS) if name != "file"])
@pytest.mark.parametrize("split", ["test", "train"])
def test_any_other_cell_makes_other_predictions_also_in_a_split_that_was_not_evaluated(place: int, split: str) -> None:
    rows = [*ROWS, ["0aa", "x.jpg", split, "a", "b", "0.1", "0.9"]]
    other = [*rows[:-1], [*rows[-1][:place], "0.5", *rows[-1][place + 1 :]]]
    assert digest(other) != digest(rows)


def test_other_classes_another_image_or_swapped_answers_are_other_predictions() -> None:
    swapped = [[*ROWS[0][:5], *ROWS[1][5:]], [*ROWS[1][:5], "1", "0"], *ROWS[2:]]
    again = [[*swapped[0][:5], "1", "0"], [*swapped[1][:5], *ROWS[0][5:]], *ROWS[2:]]
    assert len({digest(rows) for rows in (ROWS, ROWS[1:], swapped, again)}) == 4
    assert digest(ROWS, [*Prediction._fields, "p_b", "p_a"]) != digest(ROWS)


def test_probabilities_of_many_classes_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    chances = [f"{number / 1e9:.9g}" for number in range(2000)]
    path.write_bytes(
        table([*Prediction._fields, *(f"p_{name}" for name in chances)], [[*row[:5], *chances] for row in ROWS * 40])
    )
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            read_answers(file, "test", hashlib.md5(usedforsecurity=False))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 5
