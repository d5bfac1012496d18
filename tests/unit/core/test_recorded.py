"""A file that is no longer what dvc.lock says is not believed, whatever its size and its date."""

from pathlib import Path

import pytest

from onepass.core import UserError, check_recorded
from onepass.core.recorded import digest_of
from tests.builders import Project

LISTED = Path("data/curves")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose dvc.lock knows a file and a folder that a stage made."""
    monkeypatch.chdir(tmp_path)
    (LISTED / "deep").mkdir(parents=True)
    for name, content in {"data/a.csv": "a", "data/curves/loss.tsv": "1", "data/curves/deep/x": "2"}.items():
        Path(name).write_text(content)
    made = {path: digest_of(Path(path)) for path in ("data/a.csv", "data/curves")}
    outs = "".join(f"    - {{path: {path}, hash: md5, md5: {digest}}}\n" for path, digest in made.items())
    Path("dvc.lock").write_text(f"stages:\n  make:\n    cmd: make\n    outs:\n{outs}")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_what_is_as_it_was_written_is_passed() -> None:
    check_recorded(Path("data"), Path("data/a.csv").absolute(), LISTED, Path("elsewhere"))


@pytest.mark.parametrize("changed", ["data/a.csv", "data/curves/loss.tsv", "data/curves/deep/x"])
@pytest.mark.usefixtures("here")
def test_what_is_not_is_named_with_what_to_do(changed: str) -> None:
    Path(changed).write_text("3")
    with pytest.raises(UserError) as caught:
        check_recorded(Path("data"))
    output = changed if changed == "data/a.csv" else "data/curves"
    assert str(caught.value).startswith(f"{output} is not what make wrote, but changed or damaged since: dvc.lock has ")
    assert "`python -m onepass repair` deletes what is damaged, and `dvc repro` brings back" in str(caught.value)
    check_recorded(Path("data/a" if changed == "data/a.csv" else "data/a.csv"))  # only what is asked for


@pytest.mark.usefixtures("here")
def test_a_file_more_in_a_folder_is_a_change() -> None:
    (LISTED / "more").write_text("")
    with pytest.raises(UserError, match="data/curves is not what make wrote"):
        check_recorded(LISTED)


@pytest.mark.parametrize("content", ["stages: [", "5", "stages: {a: 3}", "stages: {a: {outs: [{path: x}]}}"])
def test_a_damaged_lock_is_told(content: str, here: Path) -> None:
    (here / "dvc.lock").write_text(content)
    with pytest.raises(UserError, match=r"dvc\.lock cannot be read"):
        check_recorded(Path("data"))


@pytest.mark.usefixtures("here")
def test_without_a_lock_nothing_is_known() -> None:
    Path("dvc.lock").unlink()
    check_recorded(Path("data"))


@pytest.mark.slow
def test_digests_are_those_of_dvc(pixels_done: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pixels_done.folder)
    names = [path for path in ("data/head", "metrics/training", "data/prepared/images.csv") if Path(path).exists()]
    assert len(names) == 3
    lock = Path("dvc.lock").read_text()
    for name in names:
        assert f"path: {name}\n      hash: md5\n      md5: {digest_of(Path(name))}\n" in lock
