"""The digest that stands for the weights file, and what is said where the file is missing or another one."""

from pathlib import Path

import pytest

from onepass.core import UserError
from onepass.params import check_weights, record_weights


def test_the_file_that_was_recorded_passes_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"weights")
    record_weights(str(tmp_path / "a.h5"), tmp_path / "weights.json")
    moved = (tmp_path / "a.h5").rename(tmp_path / "b.h5")
    check_weights(str(moved), tmp_path / "weights.json")
    assert "h5" not in (tmp_path / "weights.json").read_text()


def test_a_file_that_changed_between_the_stages_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "a.h5"
    weights.write_bytes(b"weights")
    record_weights(str(weights), tmp_path / "weights.json")
    weights.write_bytes(b"other weights")
    with pytest.raises(
        UserError, match=r"a\.h5 has the sha256 .* has changed while the pipeline ran\. Run `dvc repro`"
    ):
        check_weights(str(weights), tmp_path / "weights.json")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/no/such/place/a.h5", "outside of this repository.* `python -m onepass weights add FILE`"),
        ("../no such place/a.h5", "outside of this repository.* `python -m onepass weights add FILE`"),
        ("data/imagenet/none.h5", "`dvc repro` makes what .* `dvc pull` fetches"),
    ],
)
def test_a_missing_file_says_who_can_bring_it(path: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"{path} does not exist.*{words}"):
        record_weights(path, tmp_path / "weights.json")
    assert not (tmp_path / "weights.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 1}'])
def test_an_unreadable_record_says_what_writes_it(content: str, tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text(content)
    with pytest.raises(UserError, match=r"weights\.json cannot be read: .* `dvc repro` writes it"):
        check_weights("a.h5", tmp_path / "weights.json")
